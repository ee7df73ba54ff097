// Which build of the kernel this machine can run, and which width suits the channels.
#pragma once

#include <memory>

#include "state.hpp"

namespace sonoworld {

struct Choice {
  const char* set;  // "plain", "avx2", "avx512"
  int lanes;
};

// Widths that run here, narrowest first, ended by one with 0 lanes.
const Choice* widths();

// `lanes` 0 takes what measured fastest for the order. Null where no such width runs here.
std::unique_ptr<Renderer> make_renderer(const Setup& setup, int lanes, Choice& chosen);

}  // namespace sonoworld
