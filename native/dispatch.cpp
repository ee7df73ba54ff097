#include "dispatch.hpp"

#if defined(SONOWORLD_X86_SETS)
#include <cpuid.h>
#endif

namespace sonoworld {

namespace plain {
Renderer* make(const Setup& setup, int lanes);
}
#if defined(SONOWORLD_X86_SETS)
namespace avx2 {
Renderer* make(const Setup& setup, int lanes);
}
namespace avx512 {
Renderer* make(const Setup& setup, int lanes);
}
#endif

namespace {

#if defined(SONOWORLD_X86_SETS)
// 0: SSE2 alone, 2: AVX2 and FMA, 512: AVX-512 F, VL, DQ, BW too; each with its registers kept by the system.
int level() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  const bool saves = c & (1u << 27), fma = c & (1u << 12), avx = c & (1u << 28);
  if (!saves || !fma || !avx || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & 6) != 6 || !(b & (1u << 5))) return 0;
  const unsigned wanted = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);
  return (low & 0xe6) == 0xe6 && (b & wanted) == wanted ? 512 : 2;
}
#endif

}  // namespace

const Choice* widths() {
  static const Choice none[] = {{"plain", 4}, {"", 0}};
#if defined(SONOWORLD_X86_SETS)
  static const Choice two[] = {{"avx2", 4}, {"avx2", 8}, {"", 0}};
  static const Choice all[] = {{"avx2", 4}, {"avx2", 8}, {"avx512", 16}, {"", 0}};
  static const int here = level();
  return here == 512 ? all : here == 2 ? two : none;
#else
  return none;
#endif
}

std::unique_ptr<Renderer> make_renderer(const Setup& setup, int lanes, Choice& chosen) {
  const int channels = (setup.order + 1) * (setup.order + 1);
  chosen = {"", 0};
  for (const Choice* one = widths(); one->lanes; ++one) {
    // Full lanes measured fastest; the air's filters run along time and gain from eight at any order.
    const bool full = one->lanes <= channels || (setup.law.air && one->lanes <= 8);
    const bool suits = lanes == 0 ? full : one->lanes == lanes;
    if (suits) chosen = *one;
  }
  if (!chosen.lanes) return nullptr;
#if defined(SONOWORLD_X86_SETS)
  if (chosen.lanes == 16) return std::unique_ptr<Renderer>(avx512::make(setup, 16));
  if (chosen.set[0] == 'a') return std::unique_ptr<Renderer>(avx2::make(setup, chosen.lanes));
#endif
  return std::unique_ptr<Renderer>(plain::make(setup, chosen.lanes));
}

}  // namespace sonoworld
