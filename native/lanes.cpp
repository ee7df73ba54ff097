// One build of the kernel for one instruction set, named by SONOWORLD_SET; compiled once per set (see native.py).
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

#include "state.hpp"

#ifndef SONOWORLD_SET
#define SONOWORLD_SET plain
#endif

namespace sonoworld {
namespace SONOWORLD_SET {

constexpr double PI = 3.14159265358979323846;
#include "kernel.hpp"

// An executor on `lanes` lanes, or null where this build has no such width.
Renderer* make(const Setup& setup, int lanes) {
  switch (lanes) {
    case 4:
      return new Kernel<4>(setup);
#if defined(__AVX__)
    case 8:
      return new Kernel<8>(setup);
#endif
#if defined(__AVX512F__)
    case 16:
      return new Kernel<16>(setup);
#endif
    default:
      return nullptr;
  }
}

}  // namespace SONOWORLD_SET
}  // namespace sonoworld
