// The kernel's C interface: plain numbers in and out, for Python (ctypes or nanobind) and for WebAssembly alike.
// Calls with arguments out of range change nothing and return -1 (or no kernel).
#include "kernel.hpp"

#if defined(_WIN32)
#define SONOWORLD_API extern "C" __declspec(dllexport)
#else
#define SONOWORLD_API extern "C" __attribute__((visibility("default")))
#endif

namespace {

bool finite(const double* values, int count) {
  for (int i = 0; i < count; ++i)
    if (!std::isfinite(values[i])) return false;
  return true;
}

sonoworld::Kernel* self(void* kernel) { return static_cast<sonoworld::Kernel*>(kernel); }

}  // namespace

SONOWORLD_API int sonoworld_lanes() { return sonoworld::L; }

SONOWORLD_API void* sonoworld_make(int order, int block, int sources, const float* filters, int taps) {
  const bool power = block >= 16 && block <= 4096 && (block & (block - 1)) == 0;
  const bool sizes = order >= 1 && order <= sonoworld::MAX_ORDER && sources >= 1 && sources <= 4096;
  if (!power || !sizes || taps < 1 || taps > 65536 || filters == nullptr) return nullptr;
  return new sonoworld::Kernel(order, block, sources, filters, taps);
}

SONOWORLD_API void sonoworld_free(void* kernel) { delete self(kernel); }

// Point (caps: factor per degree [order + 1], or null for 1s) at a position in m, world; gain is the level at 1 m.
SONOWORLD_API int sonoworld_set_source(void* kernel, int i, const double* position, float gain, const float* cap,
                                       int order) {
  if (i < 0 || i >= self(kernel)->sources() || !finite(position, 3) || !std::isfinite(gain)) return -1;
  auto& source = self(kernel)->source(i);
  std::memcpy(source.position, position, sizeof source.position);
  source.gain = gain;
  source.placed = true;
  source.count = 0;
  for (int n = 0; n <= sonoworld::MAX_ORDER; ++n) source.cap[n] = cap != nullptr && n <= order ? cap[n] : 1.0f;
  return 0;
}

// Surface: [count][x y z weight], m, world; kept by the caller as long as the source is.
SONOWORLD_API int sonoworld_set_surface(void* kernel, int i, const double* points, int count, float gain) {
  if (i < 0 || i >= self(kernel)->sources() || count < 1 || !finite(points, 4 * count)) return -1;
  auto& source = self(kernel)->source(i);
  source.points = points;
  source.count = count;
  source.gain = gain;
  source.placed = true;
  return 0;
}

SONOWORLD_API int sonoworld_remove(void* kernel, int i) {
  if (i < 0 || i >= self(kernel)->sources()) return -1;
  self(kernel)->source(i).placed = false;
  return 0;
}

// All first `count` sources at once: positions [count][3], gains [count].
SONOWORLD_API int sonoworld_set_sources(void* kernel, int count, const double* positions, const float* gains) {
  if (count < 0 || count > self(kernel)->sources() || !finite(positions, 3 * count)) return -1;
  for (int i = 0; i < count; ++i) {
    auto& source = self(kernel)->source(i);
    std::memcpy(source.position, positions + 3 * i, sizeof source.position);
    source.gain = gains[i];
    source.placed = true;
    source.count = 0;
  }
  return 0;
}

// world_from_head: rotation [3][3], origin [3] m
SONOWORLD_API int sonoworld_set_listener(void* kernel, const double* rotation, const double* origin) {
  if (!finite(rotation, 9) || !finite(origin, 3)) return -1;
  self(kernel)->set_listener(rotation, origin);
  return 0;
}

// in [sources][block], out [2][block]
SONOWORLD_API void sonoworld_process(void* kernel, const float* in, float* out) { self(kernel)->process(in, out); }
