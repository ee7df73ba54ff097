// What a source puts on every channel at the head: harmonics, distance, directivity, size. Double precision, L
// directions at once. Letters: x offset from the head, in head axes; d softened distance; y SN3D harmonics (ACN).

// Factors √((2 - δ_m0)(n - m)!/(n + m)!) (Nachbar et al. 2011, eq. 3) and the reciprocals of the recurrence.
struct HarmonicWeights {
  double weight[MAX_ORDER + 1][MAX_ORDER + 1] = {};
  double inverse[MAX_ORDER + 2] = {};

  HarmonicWeights() {
    for (int n = 0; n <= MAX_ORDER; ++n)
      for (int m = 0; m <= n; ++m) {
        double ratio = m == 0 ? 1.0 : 2.0;
        for (int k = n - m + 1; k <= n + m; ++k) ratio /= k;
        weight[n][m] = std::sqrt(ratio);
      }
    for (int k = 1; k <= MAX_ORDER + 1; ++k) inverse[k] = 1.0 / k;
  }
};

template <class D>
inline D square_root(D v) {
  for (std::size_t i = 0; i < sizeof(D) / 8; ++i) v[i] = std::sqrt(v[i]);
  return v;
}

// emit(c, Y_c) for the unit vectors (x, y, z); `there` is 1, or 0 where there is no direction: then W alone is not 0.
template <class D, class Emit>
inline void harmonics(const HarmonicWeights& f, int order, D x, D y, D z, D there, Emit emit) {
  D cosine = D{} + 1.0, sine = D{}, diagonal = D{} + 1.0;
  for (int m = 0; m <= order; ++m) {
    if (m > 0) diagonal *= 2.0 * m - 1;
    D before = D{}, legendre = diagonal;
    for (int n = m; n <= order; ++n) {
      const D scaled = legendre * f.weight[n][m];
      emit(n * n + n + m, scaled * cosine);
      if (m > 0) emit(n * n + n - m, scaled * sine);
      // DLMF 14.10.3 for n + 1
      const D next = ((2.0 * n + 1) * z * legendre - double(n + m) * there * before) * f.inverse[n + 1 - m];
      before = legendre;
      legendre = next;
    }
    const D turned = cosine * x - sine * y;
    sine = sine * x + cosine * y;
    cosine = turned;
  }
}

// Offsets of L points from the head, in the axes of R (the head's, or the world's), and what follows from them alone.
template <class D>
struct Seen {
  D x, y, z, there, fade;
  bool at_the_head = false;

  // (px, py, pz) in m, world
  Seen(const State& state, const Law& law, const double* R, D px, D py, D pz) {
    px -= state.origin[0];
    py -= state.origin[1];
    pz -= state.origin[2];
    x = R[0] * px + R[3] * py + R[6] * pz;
    y = R[1] * px + R[4] * py + R[7] * pz;
    z = R[2] * px + R[5] * py + R[8] * pz;
    const D square = px * px + py * py + pz * pz;
    D r = square_root(square);
    d = square_root(square + law.near_m * law.near_m);
    for (std::size_t i = 0; i < sizeof(D) / 8; ++i) {
      there[i] = r[i] > 0 ? 1.0 : 0.0;
      if (r[i] == 0) r[i] = 1;
      if (d[i] == 0) {
        at_the_head = true;
        d[i] = 1;
      }
    }
    world_x = px;
    world_y = py;
    world_z = pz;
    const D inverse = 1.0 / r;
    x *= inverse;
    y *= inverse;
    z *= inverse;
    fade = law.scale / d;
    if (law.alpha != 0)
      for (std::size_t i = 0; i < sizeof(D) / 8; ++i) fade[i] *= std::exp(-law.alpha * (d[i] - 1));
  }

  // b |b|^(n - 1), b = (1 - a) + a cos θ, cos θ = -(facing · x) / d
  void direct(const double* facing, double omni, double sharpness, std::size_t lane) {
    const double along = facing[0] * world_x[lane] + facing[1] * world_y[lane] + facing[2] * world_z[lane];
    const double b = 1 - omni - omni * along / d[lane];
    fade[lane] *= sharpness == 1 ? b : b * std::pow(std::fabs(b), sharpness - 1);
  }

  D d, world_x, world_y, world_z;
};
