// Vectors of L floats or doubles as the compilers GCC and Clang know them, and the few shuffles that are needed.
template <int L>
struct Lanes {
  typedef float F __attribute__((vector_size(4 * L)));
  typedef double D __attribute__((vector_size(8 * L)));
};
typedef Lanes<4>::F Quad;
#if defined(__clang__)
#define SONOWORLD_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int QuadIndex __attribute__((vector_size(16)));
#define SONOWORLD_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, QuadIndex{i, j, k, l})
#endif

template <class V>
inline V load(const void* from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class V>
inline void store(void* to, V v) {
  std::memcpy(to, &v, sizeof v);
}

inline void transpose(Quad& a, Quad& b, Quad& c, Quad& d) {
  const Quad ab_low = SONOWORLD_SHUFFLE(a, b, 0, 4, 1, 5), ab_high = SONOWORLD_SHUFFLE(a, b, 2, 6, 3, 7);
  const Quad cd_low = SONOWORLD_SHUFFLE(c, d, 0, 4, 1, 5), cd_high = SONOWORLD_SHUFFLE(c, d, 2, 6, 3, 7);
  a = SONOWORLD_SHUFFLE(ab_low, cd_low, 0, 1, 4, 5);
  b = SONOWORLD_SHUFFLE(ab_low, cd_low, 2, 3, 6, 7);
  c = SONOWORLD_SHUFFLE(ab_high, cd_high, 0, 1, 4, 5);
  d = SONOWORLD_SHUFFLE(ab_high, cd_high, 2, 3, 6, 7);
}

inline Quad reversed(Quad a) { return SONOWORLD_SHUFFLE(a, a, 3, 2, 1, 0); }

// Lanes of a wide vector added down to four.
template <class V>
inline Quad folded(V v) {
  Quad parts[sizeof(V) / sizeof(Quad)];
  std::memcpy(parts, &v, sizeof v);
  Quad sum = parts[0];
  for (std::size_t i = 1; i < sizeof(V) / sizeof(Quad); ++i) sum += parts[i];
  return sum;
}

// The four sums of four vectors' lanes.
template <class V>
inline Quad totals(V v, V w, V x, V y) {
  Quad a = folded(v), b = folded(w), c = folded(x), d = folded(y);
  transpose(a, b, c, d);
  return (a + b) + (c + d);
}

template <class V>
inline V broadcast(float value) {
  return V{} + value;
}
