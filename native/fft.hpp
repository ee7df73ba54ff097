// Fourier transforms on vectors. Letters: n points left, s transforms already interleaved (Stockham), m = n / 4.

// Complex FFT of `size` = 2^k values of a vector type (each lane on its own): radix 4, one radix 2 where k is odd.
class Fft {
 public:
  explicit Fft(int size) : size_(size), cosine_(size), sine_(size) {
    for (int k = 0; k < size; ++k) {
      cosine_[k] = static_cast<float>(std::cos(2 * PI * k / size));
      sine_[k] = static_cast<float>(-std::sin(2 * PI * k / size));
    }
  }

  int size() const { return size_; }

  // Transforms (re, im); (re2, im2) is scratch. Returns true when the result lies in the scratch. Not scaled.
  // `half`: the second half of the input is zero.
  template <bool inverse, bool half, class V>
  bool run(V* re, V* im, V* re2, V* im2) const {
    V *ar = re, *ai = im, *br = re2, *bi = im2;
    bool swapped = false;
    int n = size_, s = 1;
    for (; n >= 4; n /= 4, s *= 4) {
      if (half && s == 1)
        radix4<inverse, true>(ar, ai, br, bi, n, s);
      else
        radix4<inverse, false>(ar, ai, br, bi, n, s);
      std::swap(ar, br);
      std::swap(ai, bi);
      swapped = !swapped;
    }
    if (n == 2) {
      for (int q = 0; q < s; ++q) {
        const V r = ar[q], i = ai[q], r2 = ar[q + s], i2 = ai[q + s];
        br[q] = r + r2;
        bi[q] = i + i2;
        br[q + s] = r - r2;
        bi[q + s] = i - i2;
      }
      swapped = !swapped;
    }
    return swapped;
  }

 private:
  template <bool inverse, bool half, class V>
  void radix4(const V* __restrict ar, const V* __restrict ai, V* __restrict br, V* __restrict bi, int n, int s) const {
    constexpr float sign = inverse ? -1.0f : 1.0f;
    const int m = n / 4;
    for (int p = 0; p < m; ++p) {
      const float w1r = cosine_[p * s], w1i = sign * sine_[p * s];
      const float w2r = cosine_[2 * p * s], w2i = sign * sine_[2 * p * s];
      const float w3r = cosine_[3 * p * s], w3i = sign * sine_[3 * p * s];
      for (int q = 0; q < s; ++q) {
        const int at = q + s * p, to = q + s * 4 * p;
        V a_r = ar[at], a_i = ai[at], b_r = ar[at + s * m], b_i = ai[at + s * m];
        V sum_r = a_r, sum_i = a_i, dif_r = a_r, dif_i = a_i, odd_r = b_r, odd_i = b_i, j_r, j_i;
        if (half) {
          j_r = inverse ? b_i : -b_i;
          j_i = inverse ? -b_r : b_r;
        } else {
          const V c_r = ar[at + 2 * s * m], c_i = ai[at + 2 * s * m];
          const V d_r = ar[at + 3 * s * m], d_i = ai[at + 3 * s * m];
          sum_r = a_r + c_r;
          sum_i = a_i + c_i;
          dif_r = a_r - c_r;
          dif_i = a_i - c_i;
          odd_r = b_r + d_r;
          odd_i = b_i + d_i;
          j_r = inverse ? b_i - d_i : d_i - b_i;  // forward: j (b - d)
          j_i = inverse ? d_r - b_r : b_r - d_r;
        }
        const V t1r = dif_r - j_r, t1i = dif_i - j_i, t2r = sum_r - odd_r, t2i = sum_i - odd_i;
        const V t3r = dif_r + j_r, t3i = dif_i + j_i;
        br[to] = sum_r + odd_r;
        bi[to] = sum_i + odd_i;
        br[to + s] = t1r * w1r - t1i * w1i;
        bi[to + s] = t1r * w1i + t1i * w1r;
        br[to + 2 * s] = t2r * w2r - t2i * w2i;
        bi[to + 2 * s] = t2r * w2i + t2i * w2r;
        br[to + 3 * s] = t3r * w3r - t3i * w3i;
        bi[to + 3 * s] = t3r * w3i + t3i * w3r;
      }
    }
  }

  int size_;
  Aligned<float> cosine_, sine_;
};

// Spectra of real signals, L at once: 2M real samples, of which the second half is zero, by one complex FFT of M.
template <class V>
class RealSpectra {
 public:
  explicit RealSpectra(int size) : half_(size / 2), fft_(size / 2), turn_r_(half_ + 1), turn_i_(half_ + 1), z_(4 * half_) {
    for (int k = 0; k <= half_; ++k) {
      turn_r_[k] = static_cast<float>(std::cos(PI * k / half_));
      turn_i_[k] = static_cast<float>(-std::sin(PI * k / half_));
    }
  }

  // Where the caller puts even and odd samples: size / 4 each; the rest is taken as zero.
  V* even() { return z_.get(); }
  V* odd() { return z_.get() + half_; }

  // Spectrum to re[k * stride], im[k * stride], k = 0 .. size / 2.
  void run(V* __restrict re, V* __restrict im, std::size_t stride) {
    V *zr = z_.get(), *zi = zr + half_, *tr = zi + half_, *ti = tr + half_;
    if (fft_.template run<false, true>(zr, zi, tr, ti)) {
      zr = tr;
      zi = ti;
    }
    re[0] = zr[0] + zi[0];
    im[0] = V{};
    re[half_ * stride] = zr[0] - zi[0];
    im[half_ * stride] = V{};
    for (int k = 1; k <= half_ / 2; ++k) {
      const int mirror = half_ - k;
      const V ar = zr[k], ai = zi[k], br = zr[mirror], bi = zi[mirror];
      const V even_r = (ar + br) * 0.5f, even_i = (ai - bi) * 0.5f;
      const V odd_r = (ai + bi) * 0.5f, odd_i = (br - ar) * 0.5f;
      const V w_r = odd_r * turn_r_[k] - odd_i * turn_i_[k], w_i = odd_r * turn_i_[k] + odd_i * turn_r_[k];
      re[k * stride] = even_r + w_r;
      im[k * stride] = even_i + w_i;
      re[mirror * stride] = even_r - w_r;
      im[mirror * stride] = w_i - even_i;
    }
  }

 private:
  int half_;
  Fft fft_;
  Aligned<float> turn_r_, turn_i_;
  Aligned<V> z_;
};

// Two real signals from their spectra by one complex inverse FFT of N points, four lanes at work within it: point
// n = 4m + l lies in lane l; FFTs of N/4 per lane, a turn by ω^(l k), then a butterfly across the lanes.
class PairSignal {
 public:
  explicit PairSignal(int size)
      : size_(size), fft_(size / 4), turn_r_(size / 4), turn_i_(size / 4), z_(size), left_(size), right_(size) {
    for (int k = 0; k < size / 4; ++k)
      for (int l = 0; l < 4; ++l) {
        turn_r_[k][l] = static_cast<float>(std::cos(2 * PI * k * l / size) / size);
        turn_i_[k][l] = static_cast<float>(std::sin(2 * PI * k * l / size) / size);
      }
  }

  const float* left() const { return left_.get(); }
  const float* right() const { return right_.get(); }

  // sums[k] = (left re, left im, right re, right im), k = 0 .. N / 2
  void run(const Quad* sums) {
    Quad *zr = z_.get(), *zi = zr + size_ / 4, *tr = zi + size_ / 4, *ti = tr + size_ / 4;
    pack(sums, reinterpret_cast<float*>(zr), reinterpret_cast<float*>(zi));
    if (fft_.run<true, false>(zr, zi, tr, ti)) {
      zr = tr;
      zi = ti;
    }
    const int quarter = size_ / 4;
    for (int k = 0; k < quarter; k += 4) {
      Quad re[4], im[4];
      for (int i = 0; i < 4; ++i) {
        const Quad r = zr[k + i], j = zi[k + i], c = turn_r_[k + i], s = turn_i_[k + i];
        re[i] = r * c - j * s;
        im[i] = r * s + j * c;
      }
      transpose(re[0], re[1], re[2], re[3]);
      transpose(im[0], im[1], im[2], im[3]);
      const Quad sum_r = re[0] + re[2], sum_i = im[0] + im[2], dif_r = re[0] - re[2], dif_i = im[0] - im[2];
      const Quad odd_r = re[1] + re[3], odd_i = im[1] + im[3], gap_r = re[1] - re[3], gap_i = im[1] - im[3];
      store(left_.get() + k, sum_r + odd_r);
      store(right_.get() + k, sum_i + odd_i);
      store(left_.get() + k + quarter, dif_r - gap_i);
      store(right_.get() + k + quarter, dif_i + gap_r);
      store(left_.get() + k + 2 * quarter, sum_r - odd_r);
      store(right_.get() + k + 2 * quarter, sum_i - odd_i);
      store(left_.get() + k + 3 * quarter, dif_r + gap_i);
      store(right_.get() + k + 3 * quarter, dif_i - gap_r);
    }
  }

 private:
  // Z = Left + j Right over all N bins: Z_k and, from the mirrored spectra, Z_(N - k).
  void pack(const Quad* sums, float* zr, float* zi) const {
    const int half = size_ / 2;
    for (int k = 0; k < half; k += 4) {
      Quad lr = sums[k], li = sums[k + 1], rr = sums[k + 2], ri = sums[k + 3];
      transpose(lr, li, rr, ri);
      store(zr + k, lr - ri);
      store(zi + k, li + rr);
      if (k == 0) {
        for (int i = 1; i < 4; ++i) {
          zr[size_ - i] = lr[i] + ri[i];
          zi[size_ - i] = rr[i] - li[i];
        }
      } else {
        store(zr + size_ - k - 3, reversed(lr + ri));
        store(zi + size_ - k - 3, reversed(rr - li));
      }
    }
    zr[half] = sums[half][0];
    zi[half] = sums[half][2];
  }

  int size_;
  Fft fft_;
  Aligned<Quad> turn_r_, turn_i_, z_;
  Aligned<float> left_, right_;
};
