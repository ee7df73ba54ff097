// What control hands to the audio thread: plain data, read while a block is made, never changed under it.
//
// Axes: world and head are x ahead, y left, z up (FLU), metres. Channels are ACN with SN3D weights.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sonoworld {

constexpr int MAX_ORDER = 10;
constexpr int MAX_CHANNELS = (MAX_ORDER + 1) * (MAX_ORDER + 1);
constexpr int WIDEST = 16;  // lanes of the widest executor; surfaces are padded to a multiple of it
constexpr int MOST_PARTS = 16;
constexpr int MAX_ROOTS = 30;  // Σ ceil(n / 2) for n = 1 .. 10

// Weighted points, one array per coordinate, sorted by part; each part is filled up to a multiple of WIDEST with points
// of weight 0. With `parts` 0 all is one sound. Else the part j of a surface that looks wide sounds through the input
// j + 1 rows after the source's own, which carries a decorrelated copy.
struct Surface {
  const double *x, *y, *z, *weight;
  int parts;
  int start[MOST_PARTS + 1];  // first point of every part, and the end
  double centroid[3];         // weighted mean
};

// A sound field in world axes, samples [channels][length].
struct Bed {
  const float* samples;
  int order;
  std::int64_t length;
  bool loops;
};

struct Source {
  double position[3];
  double facing[3];           // unit, world
  double omni, sharpness;     // b = (1 - omni) + omni cos θ, gain b |b|^(sharpness - 1)
  double gain;                // level at 1 m
  const Surface* surface;     // or null
  std::uint64_t stamp;        // rises whenever anything of this source changes
  float cap[MAX_ORDER + 1];   // factor per degree
  bool placed, directed, capped;
  bool copy;                  // a row of decorrelated sound that belongs to a surface before it
};

struct State {
  const Source* sources;
  const Bed* bed;             // or null
  double rotation[9];         // world_from_head, row by row
  double origin[3];
  std::uint64_t listener_stamp, bed_stamp;
};

// σ(d) = scale exp(-α (d - 1)) / d with d = sqrt(|x|² + near²); delay and air of encode/travel.py and encode/air.py.
struct Law {
  double alpha, scale, near_m;
  double rate_hz, speed_m_s;
  bool delay;
  const float* table;         // [phases + 1][DELAY_TAPS], or null without delay
  int phases;
  const float* air;           // [ways][air_taps], or null without air
  const double* ways_m;       // beyond the first metre, rising from 0
  int ways, air_taps;
  bool near;                  // near-field filters of encode/nearfield.py
  double reference_m, nearest_m, most_boost_db;
  const double* roots;        // [root_count][2]: roots of degrees 1, 2, ..., one of each pair, in the order of sections
  int root_count;
};

constexpr int DELAY_TAPS = 16, DELAY_AHEAD = 8;  // taps k = -7 .. 8 around a delayed sample
constexpr double LEAST_DELAY = 8;

// A convex room around the sources. Who takes part in it has a send > 0: how much of it lingers, re its axis.
struct RoomSetup {
  int walls;
  const double *normals, *offsets;  // [walls][3] unit, out of the room; [walls], n·x = offset, m
  const float* filters;             // [walls][2][5]: biquads b0 b1 b2 a1 a2
  const float* late;                // [4][late_taps], W Y Z X in world axes, or null
  int late_taps;
  const float* sends;               // [sources]
  const float* branches;            // [5][DELAY_TAPS], see room.hpp
  double longest_m;                 // reflections that come later than this way are not followed
};

struct Setup {
  int order, block, sources;
  const float* filters;       // [2][channels][taps], left ear first
  int taps;
  Law law;
  const RoomSetup* room;      // or null
};

enum class Outcome { done = 0, at_the_head = 1 };  // 1: a law without near radius, and a source at distance 0

// One way of computing blocks. Nothing is allocated after it was made.
class Renderer {
 public:
  virtual ~Renderer() = default;
  // in [sources][block], out [2][block]
  virtual Outcome process(const State& state, const float* in, float* out) = 0;
  virtual int lanes() const = 0;
};

}  // namespace sonoworld
