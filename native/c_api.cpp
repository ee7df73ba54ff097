// The engine behind plain numbers, for WebAssembly (and whoever loads it without Python).
// Calls with arguments out of range change nothing and return 0 (no engine: null).
#include <cmath>
#include <new>

#include "control.hpp"
#include "dispatch.hpp"

#define SONOWORLD_API extern "C" __attribute__((visibility("default")))

namespace {

struct Engine {
  sonoworld::Control control;
  std::unique_ptr<sonoworld::Renderer> renderer;
  explicit Engine(int sources) : control(sources) {}
};

Engine* self(void* engine) { return static_cast<Engine*>(engine); }

}  // namespace

SONOWORLD_API void* sonoworld_bytes(int count) { return count > 0 ? ::operator new(count, std::nothrow) : nullptr; }
SONOWORLD_API void sonoworld_release(void* bytes) { ::operator delete(bytes); }

// A room to make an engine with, to be released after that, as may be what it points to: normals [walls][3], offsets
// [walls] (m), filters [walls][2][5], late [4][late_taps] or null, sends [sources], branches [5][16], see `RoomSetup`.
SONOWORLD_API void* sonoworld_room(int walls, const double* normals, const double* offsets, const float* filters,
                                   const float* late, int late_taps, const float* sends, const float* branches,
                                   double longest_m) {
  const bool sizes = walls >= 0 && walls <= 4096 && late_taps >= 0 && late_taps <= (1 << 22);
  if (!sizes || !sends || !branches || !(longest_m > 0 && longest_m < 1000)) return nullptr;
  if ((walls > 0 && (!normals || !offsets || !filters)) || (late && late_taps < 1)) return nullptr;
  void* bytes = ::operator new(sizeof(sonoworld::RoomSetup), std::nothrow);
  if (!bytes) return nullptr;
  return new (bytes) sonoworld::RoomSetup{walls, normals, offsets, filters, late, late ? late_taps : 0, sends, branches, longest_m};
}

// filters [2][(order + 1)²][taps]; law: alpha, scale, near_m, rate_hz, speed_m_s, delay (0 or 1).
// table [phases + 1][16] or null; air [ways][air_taps] with ways_m [ways], or null; near [3]: reference and nearest
// distance (m) and most boost (dB), with roots [Σ ceil(n / 2)][2] of degrees 1 .. order, or null; room or null. All are
// copied.
SONOWORLD_API void* sonoworld_make(int order, int block, int sources, const float* filters, int taps, const double* law,
                                   const float* table, int phases, const float* air, const double* ways_m, int ways,
                                   int air_taps, const double* near, const double* roots,
                                   const void* room) {
  const bool sizes = order >= 1 && order <= sonoworld::MAX_ORDER && block >= 1 && block <= 65536;
  if (!sizes || sources < 1 || sources > 4096 || taps < 1 || taps > 65536 || !filters || !law) return nullptr;
  if ((law[5] != 0 && !table) || (air && (ways < 2 || air_taps < 1 || air_taps > 512 || !ways_m))) return nullptr;
  sonoworld::Setup setup{order, block, sources, filters, taps, {}, static_cast<const sonoworld::RoomSetup*>(room)};
  setup.law = {law[0], law[1], law[2], law[3], law[4], law[5] != 0, law[5] != 0 ? table : nullptr, phases,
               air,    ways_m, air ? ways : 0, air ? air_taps : 0, false, 0, 0, 0, nullptr, 0};
  if (near && roots) {
    setup.law.near = true;
    setup.law.reference_m = near[0];
    setup.law.nearest_m = near[1];
    setup.law.most_boost_db = near[2];
    setup.law.roots = roots;
    for (int n = 1; n <= order; ++n) setup.law.root_count += (n + 1) / 2;
  }
  Engine* engine = new Engine(sources);
  sonoworld::Choice chosen;
  engine->renderer = sonoworld::make_renderer(setup, 0, chosen);
  return engine;
}

SONOWORLD_API void sonoworld_free(void* engine) { delete self(engine); }

SONOWORLD_API int sonoworld_place(void* engine, int i, const double* position, double gain) {
  return self(engine)->control.place(i, position, gain);
}
// factors per degree [count], or null: a point
SONOWORLD_API int sonoworld_cap(void* engine, int i, const float* factors, int count) {
  return self(engine)->control.cap(i, factors, count);
}
// points [count][3], weights [count]; labels [count] or null: with them a wide surface sounds through the rows after i
SONOWORLD_API int sonoworld_surface(void* engine, int i, const double* points, const double* weights,
                                    const int* labels, int count, double gain) {
  return self(engine)->control.surface(i, points, weights, labels, count, gain);
}
SONOWORLD_API int sonoworld_direct(void* engine, int i, const double* facing, double omni, double sharpness) {
  return self(engine)->control.direct(i, facing, omni, sharpness);
}
SONOWORLD_API int sonoworld_remove(void* engine, int i) { return self(engine)->control.remove(i); }
SONOWORLD_API int sonoworld_move(void* engine, int count, const double* positions, const double* gains) {
  return self(engine)->control.move(count, positions, gains);
}
// world_from_head: rotation [3][3], origin [3]
SONOWORLD_API int sonoworld_listener(void* engine, const double* rotation, const double* origin) {
  return self(engine)->control.listener(rotation, origin);
}
// samples [(order + 1)²][length], or null: none
SONOWORLD_API int sonoworld_bed(void* engine, const float* samples, int order, int length, int loops) {
  return self(engine)->control.bed(samples, order, length, loops != 0);
}
// Nothing set is heard before it is published.
SONOWORLD_API void sonoworld_publish(void* engine) { self(engine)->control.publish(); }
// in [sources][block], out [2][block]; 0 when done, 1 when a source stands in the head under a law without near radius
SONOWORLD_API int sonoworld_process(void* engine, const float* in, float* out) {
  return static_cast<int>(self(engine)->renderer->process(self(engine)->control.take(), in, out));
}
