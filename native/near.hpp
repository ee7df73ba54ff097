// Point sources nearer than the loudspeakers of the HRTF: every degree hears them through a filter of its own, with
// poles that never move and zeros that follow the distance (near-field-compensated Ambisonics: encode/nearfield.py).
// Lanes are degrees. Letters: R reference distance, r distance of the source, m; v inner signal; b zeros; K = 2 rate.
template <int L>
class NearField {
 public:
  typedef typename Lanes<L>::D D;

  NearField(const Law& law, int order, int sources, int block)
      : law_(law),
        order_(order),
        block_(block),
        sections_((order + 1) / 2),
        groups_((order + L) / L),
        degrees_(law.near ? order + 1 : 0),
        size_(std::size_t(law.near ? sections_ : 0) * groups_),
        a1_(size_),
        a2_(size_),
        scale_(size_),
        past_(2 * size_ * sources),
        zeros_(3 * size_ * sources),
        next_(3 * size_),
        rows_(std::size_t(degrees_) * block * (law.near ? sources : 0)),
        on_(law.near ? sources : 0) {
    if (!law.near) return;
    std::memcpy(roots_, law.roots, sizeof(double) * 2 * law.root_count);
    for (int s = 0; s < sections_; ++s)
      for (int n = 0; n < groups_ * L; ++n) {
        double p[3] = {1, 0, 0};
        if (has(n, s)) polynomial(n, s, law_.reference_m, p);
        const std::size_t at = std::size_t(s) * groups_ + n / L;
        scale_[at][n % L] = 1 / p[0];
        a1_[at][n % L] = p[1] / p[0];
        a2_[at][n % L] = p[2] / p[0];
      }
  }

  // Whether a source is near in the block that brings it from distance `from` to distance `to`.
  bool near(double from, double to) const { return from < law_.reference_m || to < law_.reference_m; }
  const float* row(int q, int n) const { return rows_.get() + (std::size_t(q) * degrees_ + n) * block_; }

  void leave(int q) {
    if (!on_[q]) return;
    on_[q] = 0;
    std::memset(static_cast<void*>(past_.get() + 2 * size_ * q), 0, sizeof(D) * 2 * size_);
  }

  void run(int q, const float* x, double from, double to) {
    D* b = zeros_.get() + 3 * size_ * q;
    if (!on_[q]) zeros(from, b);
    on_[q] = 1;
    zeros(to, next_.get());
    float* out = rows_.get() + std::size_t(q) * degrees_ * block_;
    const double step = 1.0 / block_;
    for (int t = 0; t < block_; ++t) {
      const double r = (t + 1) * step;
      for (int g = 0; g < groups_; ++g) {
        D y = D{} + double(x[t]);
        for (int s = 0; s < sections_; ++s) {
          const std::size_t at = std::size_t(s) * groups_ + g;
          D* past = past_.get() + 2 * (size_ * q + at);
          const D *old = b + 3 * at, *now = next_.get() + 3 * at;
          const D v = y - a1_[at] * past[0] - a2_[at] * past[1];
          y = (old[0] + (now[0] - old[0]) * r) * v + (old[1] + (now[1] - old[1]) * r) * past[0] +
              (old[2] + (now[2] - old[2]) * r) * past[1];
          past[1] = past[0];
          past[0] = v;
        }
        for (int i = 0; i < L && g * L + i <= order_; ++i) out[std::size_t(g * L + i) * block_ + t] = static_cast<float>(y[i]);
      }
    }
    std::memcpy(static_cast<void*>(b), next_.get(), sizeof(D) * 3 * size_);
  }

 private:
  bool has(int n, int s) const { return n >= 1 && n <= order_ && s < (n + 1) / 2; }

  // One section of Π (s - q c / r) under the bilinear transform; see `_sections` in encode/nearfield.py.
  void polynomial(int n, int s, double r, double* p) const {
    int first = 0;
    for (int m = 1; m < n; ++m) first += (m + 1) / 2;
    const double re = roots_[2 * (first + s)], im = roots_[2 * (first + s) + 1];
    const double K = 2 * law_.rate_hz, w = law_.speed_m_s / r, turn = -re * w;
    if (im == 0) {
      p[0] = K + turn;
      p[1] = turn - K;
      p[2] = 0;
    } else {
      const double size = (re * re + im * im) * w * w, even = K * K + size, odd = 2 * turn * K;
      p[0] = even + odd;
      p[1] = 2 * (size - K * K);
      p[2] = even - odd;
    }
  }

  void zeros(double r, D* b) const {
    r = r < law_.nearest_m ? law_.nearest_m : r > law_.reference_m ? law_.reference_m : r;
    for (int s = 0; s < sections_; ++s)
      for (int n = 0; n < groups_ * L; ++n) {
        double p[3] = {1, 0, 0};
        if (has(n, s)) {
          const double least = law_.reference_m * std::pow(10.0, -law_.most_boost_db / (20.0 * n));
          polynomial(n, s, r > least ? r : least, p);
        }
        const std::size_t at = std::size_t(s) * groups_ + n / L;
        for (int i = 0; i < 3; ++i) b[3 * at + i][n % L] = p[i] * scale_[at][n % L];
      }
  }

  Law law_;
  int order_, block_, sections_, groups_, degrees_;
  std::size_t size_;
  Aligned<D> a1_, a2_, scale_, past_, zeros_, next_;
  Aligned<float> rows_;
  Aligned<unsigned char> on_;
  double roots_[2 * MAX_ROOTS] = {};
};
