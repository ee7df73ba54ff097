// Sound fields turned with the head: Ivanic and Ruedenberg, J. Phys. Chem. 100 (1996) 6342, erratum 1998.
// Letters as in encode/rotate.py: blocks of degree n, rows m, columns k in -n .. n; u, v, w of table 1; P of table 2.
class FieldRotation {
 public:
  FieldRotation() : u_(SIZE), v_(SIZE), w_(SIZE), block_(SIZE) {
    for (int n = 1; n <= MAX_ORDER; ++n)
      for (int m = -n; m <= n; ++m)
        for (int k = -n; k <= n; ++k) {
          const int a = m < 0 ? -m : m, at = index(n, m, k);
          const double below = k == n || k == -n ? 2.0 * n * (2 * n - 1) : double(n + k) * (n - k);
          u_[at] = std::sqrt((n + m) * (n - m) / below);
          v_[at] = 0.5 * std::sqrt((m == 0 ? 2.0 : 1.0) * (n + a - 1) * (n + a) / below) * (m == 0 ? -1 : 1);
          w_[at] = m == 0 || a == n ? 0.0 : -0.5 * std::sqrt((n - a - 1) * (n - a) / below);
        }
    block_[0] = 1;
  }

  // The blocks that bring a field from world to head axes; `world_from_head` row by row.
  void operator()(const double* world_from_head, int order) {
    constexpr int axes[3] = {1, 2, 0};  // y, z, x: degree 1 in ACN order
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) first_[i][j] = world_from_head[3 * axes[j] + axes[i]];
    for (int n = 1; n <= order; ++n)
      for (int m = -n; m <= n; ++m)
        for (int k = -n; k <= n; ++k) block_[index(n, m, k)] = n == 1 ? first_[m + 1][k + 1] : entry(n, m, k);
  }

  // out = M in, for the channels up to `order`
  void apply(const double* in, float* out, int order) const {
    for (int n = 0; n <= order; ++n)
      for (int m = -n; m <= n; ++m) {
        double sum = 0;
        for (int k = -n; k <= n; ++k) sum += block_[index(n, m, k)] * in[n * n + n + k];
        out[n * n + n + m] = static_cast<float>(sum);
      }
  }

  // Entry for two channels; 0 where their degrees differ.
  double at(int row, int column) const {
    int n = 0;
    while ((n + 1) * (n + 1) <= row) ++n;
    if (column < n * n || column >= (n + 1) * (n + 1)) return 0;
    return block_[index(n, row - n * n - n, column - n * n - n)];
  }

 private:
  static constexpr int SIZE = 1 + 9 + 25 + 49 + 81 + 121 + 169 + 225 + 289 + 361 + 441;

  static int index(int n, int m, int k) {
    return n * (2 * n - 1) * (2 * n + 1) / 3 + (m + n) * (2 * n + 1) + k + n;  // Σ_{i<n} (2i + 1)² before
  }

  double p(int n, int i, int mu, int k) const {
    const double *row = first_[i + 1], low = block_[index(n - 1, mu, 1 - n)], high = block_[index(n - 1, mu, n - 1)];
    if (k == -n) return row[2] * low + row[0] * high;
    if (k == n) return row[2] * high - row[0] * low;
    return row[1] * block_[index(n - 1, mu, k)];
  }

  double entry(int n, int m, int k) const {
    const int at = index(n, m, k);
    const double root2 = std::sqrt(2.0);
    double sum = m > -n && m < n ? u_[at] * p(n, 0, m, k) : 0;
    if (m == 0) return sum + v_[at] * (p(n, 1, 1, k) + p(n, -1, -1, k));
    if (m > 0) {
      sum += v_[at] * (p(n, 1, m - 1, k) * (m == 1 ? root2 : 1) - (m == 1 ? 0 : p(n, -1, 1 - m, k)));
      return m >= n - 1 ? sum : sum + w_[at] * (p(n, 1, m + 1, k) + p(n, -1, -m - 1, k));
    }
    sum += v_[at] * ((m == -1 ? 0 : p(n, 1, m + 1, k)) + p(n, -1, -m - 1, k) * (m == -1 ? root2 : 1));
    return m <= 1 - n ? sum : sum + w_[at] * (p(n, 1, m - 1, k) - p(n, -1, 1 - m, k));
  }

  Aligned<double> u_, v_, w_, block_;
  double first_[3][3] = {};
};
