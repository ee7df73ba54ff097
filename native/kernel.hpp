// The audio kernel: sources around a head -> two ears, one block at a time, portable C++17.
//
// Letters: q sources, c channels (ACN), B samples per block, M = B complex FFT size (2B real samples), P partitions of
// the filters, L lanes. Channels lie in SIMD lanes: group g holds channels gL .. gL + L - 1, so every transform is
// plain code on vectors. Same method as the NumPy engine (uniformly partitioned overlap-save, no added delay), which
// is its oracle. Nothing is allocated after `Kernel::make`.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#ifndef SONOWORLD_LANES
#define SONOWORLD_LANES 4
#endif

namespace sonoworld {

constexpr int L = SONOWORLD_LANES;
constexpr int MAX_ORDER = 7;
constexpr int MAX_CHANNELS = (MAX_ORDER + 1) * (MAX_ORDER + 1);
constexpr double PI = 3.14159265358979323846;

typedef float Lanes __attribute__((vector_size(4 * L)));
typedef float Ears __attribute__((vector_size(16)));  // left, right, two spare lanes

// Memory aligned for the widest vectors, zeroed, freed with its owner.
template <class T>
class Aligned {
 public:
  Aligned() = default;
  explicit Aligned(std::size_t count)
      : bytes_(new unsigned char[count * sizeof(T) + 64]()), count_(count) {
    auto at = reinterpret_cast<std::uintptr_t>(bytes_.get());
    data_ = reinterpret_cast<T*>((at + 63) / 64 * 64);
  }
  T* get() { return data_; }
  const T* get() const { return data_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  std::size_t size() const { return count_; }

 private:
  std::unique_ptr<unsigned char[]> bytes_;
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

// Real spherical harmonics, ACN, SN3D: the recurrence of encode/harmonics.py in double precision.
class Harmonics {
 public:
  explicit Harmonics(int order) : order_(order) {
    for (int n = 0; n <= order; ++n)
      for (int m = 0; m <= n; ++m) {
        double ratio = m == 0 ? 1.0 : 2.0;
        for (int k = n - m + 1; k <= n + m; ++k) ratio /= k;  // (n - m)! / (n + m)!
        weight_[n][m] = std::sqrt(ratio);
      }
  }

  // out[c] = Y_c(v / |v|); W alone for v = 0.
  void at(double x, double y, double z, double* out) const {
    const double length = std::sqrt(x * x + y * y + z * z);
    const double square = length > 0 ? 1.0 : 0.0;
    if (length > 0) {
      x /= length;
      y /= length;
      z /= length;
    }
    double cosine = 1, sine = 0, diagonal = 1;
    for (int m = 0; m <= order_; ++m) {
      if (m > 0) diagonal *= 2 * m - 1;
      double before = 0, legendre = diagonal;
      for (int n = m; n <= order_; ++n) {
        const double scaled = legendre * weight_[n][m];
        out[n * n + n + m] = scaled * cosine;
        if (m > 0) out[n * n + n - m] = scaled * sine;
        // DLMF 14.10.3 for n + 1
        const double next = ((2 * n + 1) * z * legendre - (n + m) * square * before) / (n + 1 - m);
        before = legendre;
        legendre = next;
      }
      const double turned = cosine * x - sine * y;
      sine = sine * x + cosine * y;
      cosine = turned;
    }
  }

 private:
  int order_;
  double weight_[MAX_ORDER + 1][MAX_ORDER + 1] = {};
};

// Complex FFT of M = 2^k values of type T (each lane on its own): Stockham autosort, radix 4 with one radix 2 if odd.
class Fft {
 public:
  explicit Fft(int size) : size_(size), cosine_(size), sine_(size) {
    for (int k = 0; k < size; ++k) {
      cosine_[k] = static_cast<float>(std::cos(2 * PI * k / size));
      sine_[k] = static_cast<float>(-std::sin(2 * PI * k / size));
    }
  }

  // Transforms (re, im); (re2, im2) is scratch. Returns true when the result lies in the scratch. No scaling.
  template <bool inverse, class T>
  bool run(T* re, T* im, T* re2, T* im2) const {
    T *ar = re, *ai = im, *br = re2, *bi = im2;
    bool swapped = false;
    int n = size_, s = 1;
    for (; n >= 4; n /= 4, s *= 4) {
      radix4<inverse>(ar, ai, br, bi, n, s);
      std::swap(ar, br);
      std::swap(ai, bi);
      swapped = !swapped;
    }
    if (n == 2) {
      for (int q = 0; q < s; ++q) {
        const T r = ar[q], i = ai[q], r2 = ar[q + s], i2 = ai[q + s];
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
  template <bool inverse, class T>
  void radix4(const T* __restrict ar, const T* __restrict ai, T* __restrict br, T* __restrict bi, int n, int s) const {
    constexpr float sign = inverse ? -1.0f : 1.0f;
    const int m = n / 4;
    for (int p = 0; p < m; ++p) {
      const float w1r = cosine_[p * s], w1i = sign * sine_[p * s];
      const float w2r = cosine_[2 * p * s], w2i = sign * sine_[2 * p * s];
      const float w3r = cosine_[3 * p * s], w3i = sign * sine_[3 * p * s];
      for (int q = 0; q < s; ++q) {
        const int at = q + s * p, to = q + s * 4 * p;
        const T a_r = ar[at], a_i = ai[at], b_r = ar[at + s * m], b_i = ai[at + s * m];
        const T c_r = ar[at + 2 * s * m], c_i = ai[at + 2 * s * m];
        const T d_r = ar[at + 3 * s * m], d_i = ai[at + 3 * s * m];
        const T sum_r = a_r + c_r, sum_i = a_i + c_i, dif_r = a_r - c_r, dif_i = a_i - c_i;
        const T odd_r = b_r + d_r, odd_i = b_i + d_i;
        const T j_r = (d_i - b_i) * sign, j_i = (b_r - d_r) * sign;  // j (b - d)
        const T t1r = dif_r - j_r, t1i = dif_i - j_i, t2r = sum_r - odd_r, t2i = sum_i - odd_i;
        const T t3r = dif_r + j_r, t3i = dif_i + j_i;
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
  std::vector<float> cosine_, sine_;
};

struct Source {
  double position[3] = {0, 0, 0};  // m, world
  float gain = 0;                  // level at 1 m
  bool placed = false;
  float cap[MAX_ORDER + 1];             // factor per degree: 1 for a point
  const double* points = nullptr;       // surface: [count * 4] x y z weight, world; owned by the caller
  int count = 0;
};

class Kernel {
 public:
  // Filters are [2][channels][taps], SN3D, left ear first; the block is a power of two, 16..4096.
  Kernel(int order, int block, int sources, const float* filters, int taps)
      : order_(order),
        channels_((order + 1) * (order + 1)),
        groups_((channels_ + L - 1) / L),
        block_(block),
        parts_((taps + block - 1) / block),
        fft_(block),
        harmonics_(order),
        sources_(sources),
        old_(std::size_t(groups_) * sources),
        new_(std::size_t(groups_) * sources),
        history_(std::size_t(groups_) * 2 * block),
        spectra_r_(std::size_t(parts_) * (block + 1) * groups_),
        spectra_i_(std::size_t(parts_) * (block + 1) * groups_),
        filters_r_(std::size_t(parts_) * (block + 1) * groups_ * 2),
        filters_i_(std::size_t(parts_) * (block + 1) * groups_ * 2),
        z_(4 * std::size_t(block)),
        ears_(4 * std::size_t(block)),
        sum_(4 * std::size_t(block + 1)),
        half_r_(block + 1),
        half_i_(block + 1),
        live_(sources) {
    for (int k = 0; k <= block; ++k) {
      half_r_[k] = static_cast<float>(std::cos(PI * k / block));
      half_i_[k] = static_cast<float>(-std::sin(PI * k / block));
    }
    for (auto& source : sources_)
      for (float& factor : source.cap) factor = 1;
    load_filters(filters, taps);
  }

  int sources() const { return static_cast<int>(sources_.size()); }
  int channels() const { return channels_; }
  int block() const { return block_; }
  Source& source(int i) {
    changed_ = true;
    return sources_[i];
  }

  // world_from_head: rotation row by row, origin in m
  void set_listener(const double* rotation, const double* origin) {
    std::memcpy(rotation_, rotation, sizeof rotation_);
    std::memcpy(origin_, origin, sizeof origin_);
    changed_ = true;
  }

  // in [sources][block], out [2][block]
  void process(const float* in, float* out) {
    const bool ramp = update_gains();
    newest_ = (newest_ + parts_ - 1) % parts_;
    for (int g = 0; g < groups_; ++g) {
      Lanes* history = history_.get() + std::size_t(g) * 2 * block_;
      std::memcpy(history, history + block_, sizeof(Lanes) * block_);
      if (ramp)
        encode<true>(g, in, history + block_);
      else
        encode<false>(g, in, history + block_);
      transform(g, history, newest_);
    }
    multiply();
    back(out);
    if (ramp) std::memcpy(old_.get(), new_.get(), sizeof(Lanes) * old_.size());
  }

 private:
  static float total(Lanes v) {
    float sum = 0;
    for (int i = 0; i < L; ++i) sum += v[i];
    return sum;
  }

  void load_filters(const float* filters, int taps) {
    Aligned<Lanes> padded(2 * std::size_t(block_));
    for (int e = 0; e < 2; ++e)
      for (int p = 0; p < parts_; ++p)
        for (int g = 0; g < groups_; ++g) {
          std::memset(static_cast<void*>(padded.get()), 0, sizeof(Lanes) * 2 * block_);
          for (int lane = 0; lane < L && g * L + lane < channels_; ++lane)
            for (int t = 0; t < block_ && p * block_ + t < taps; ++t)
              padded[t][lane] = filters[(std::size_t(e) * channels_ + g * L + lane) * taps + p * block_ + t];
          transform(g, padded.get(), p);
          for (int k = 0; k <= block_; ++k) {
            const std::size_t from = bin(p, k) + g, to = (bin(p, k) * 2 + std::size_t(e) * groups_) + g;
            filters_r_[to] = spectra_r_[from];
            filters_i_[to] = spectra_i_[from];
          }
        }
    std::memset(static_cast<void*>(spectra_r_.get()), 0, sizeof(Lanes) * spectra_r_.size());
    std::memset(static_cast<void*>(spectra_i_.get()), 0, sizeof(Lanes) * spectra_i_.size());
  }

  std::size_t bin(int part, int k) const { return (std::size_t(part) * (block_ + 1) + k) * groups_; }

  // New gains where anything changed; true when they differ from the last block's. Also lists the live sources.
  bool update_gains() {
    if (!changed_) {
      if (!ramped_) return false;
      ramped_ = false;
      list_live();
      return false;
    }
    for (std::size_t q = 0; q < sources_.size(); ++q) {
      double y[MAX_CHANNELS] = {};
      if (sources_[q].placed) gains_of(sources_[q], y);
      for (int g = 0; g < groups_; ++g) {
        Lanes v = {};
        for (int lane = 0; lane < L && g * L + lane < channels_; ++lane) v[lane] = static_cast<float>(y[g * L + lane]);
        new_[g * sources_.size() + q] = v;
      }
    }
    changed_ = false;
    if (!started_) std::memcpy(old_.get(), new_.get(), sizeof(Lanes) * old_.size());
    ramped_ = started_;
    started_ = true;
    list_live();
    return ramped_;
  }

  void list_live() {
    live_count_ = 0;
    const std::size_t count = sources_.size();
    for (std::size_t q = 0; q < count; ++q)  // W is not 0 where anything is heard
      if (old_[q][0] != 0 || new_[q][0] != 0) live_[live_count_++] = static_cast<int>(q);
  }

  void offset(const double* p, double* x) const {  // world -> head: R^T (p - o)
    const double d[3] = {p[0] - origin_[0], p[1] - origin_[1], p[2] - origin_[2]};
    for (int i = 0; i < 3; ++i) x[i] = rotation_[i] * d[0] + rotation_[3 + i] * d[1] + rotation_[6 + i] * d[2];
  }

  // 1 / sqrt(|x|^2 + 0.1^2): the engine's law of distance
  static double fade(const double* x) { return 1 / std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + 0.01); }

  void gains_of(const Source& source, double* y) const {
    double x[3];
    if (source.count > 0) {
      double one[MAX_CHANNELS];
      for (int i = 0; i < source.count; ++i) {
        const double* point = source.points + 4 * std::size_t(i);
        offset(point, x);
        harmonics_.at(x[0], x[1], x[2], one);
        const double w = source.gain * point[3] * fade(x);
        for (int c = 0; c < channels_; ++c) y[c] += w * one[c];
      }
      return;
    }
    offset(source.position, x);
    harmonics_.at(x[0], x[1], x[2], y);
    const double level = source.gain * fade(x);
    for (int n = 0; n <= order_; ++n)
      for (int c = n * n; c < (n + 1) * (n + 1); ++c) y[c] *= level * source.cap[n];
  }

  // field[t] = Σ_q (g_q + (g'_q - g_q)(t + 1)/B) x_q(t), four samples at a time
  template <bool ramp>
  void encode(int g, const float* in, Lanes* field) const {
    const Lanes* old = old_.get() + std::size_t(g) * sources_.size();
    const Lanes* next = new_.get() + std::size_t(g) * sources_.size();
    const float step = 1.0f / block_;
    for (int t = 0; t < block_; t += 4) {
      Lanes a[4] = {}, b[4] = {};
      for (int j = 0; j < live_count_; ++j) {
        const int q = live_[j];
        const float* x = in + std::size_t(q) * block_ + t;
        const Lanes gain = old[q];
        for (int i = 0; i < 4; ++i) a[i] += gain * x[i];
        if (ramp) {
          const Lanes change = next[q] - gain;
          for (int i = 0; i < 4; ++i) b[i] += change * x[i];
        }
      }
      for (int i = 0; i < 4; ++i) field[t + i] = ramp ? a[i] + b[i] * (step * (t + i + 1)) : a[i];
    }
  }

  // Spectrum of 2B real samples by one complex FFT of B (even samples real, odd imaginary), into partition `part`.
  void transform(int g, const Lanes* x, int part) {
    Lanes *zr = z_.get(), *zi = zr + block_, *tr = zi + block_, *ti = tr + block_;
    for (int i = 0; i < block_; ++i) {
      zr[i] = x[2 * i];
      zi[i] = x[2 * i + 1];
    }
    if (fft_.run<false>(zr, zi, tr, ti)) {
      std::swap(zr, tr);
      std::swap(zi, ti);
    }
    Lanes *to_r = spectra_r_.get() + bin(part, 0) + g, *to_i = spectra_i_.get() + bin(part, 0) + g;
    for (int k = 0; k <= block_ / 2; ++k) {
      const int mirror = (block_ - k) & (block_ - 1);
      const Lanes ar = zr[k], ai = zi[k], br = zr[mirror], bi = -zi[mirror];
      const Lanes even_r = (ar + br) * 0.5f, even_i = (ai + bi) * 0.5f;
      const Lanes odd_r = (ai - bi) * 0.5f, odd_i = (br - ar) * 0.5f;
      const Lanes w_r = odd_r * half_r_[k] - odd_i * half_i_[k], w_i = odd_r * half_i_[k] + odd_i * half_r_[k];
      to_r[std::size_t(k) * groups_] = even_r + w_r;
      to_i[std::size_t(k) * groups_] = even_i + w_i;
      to_r[std::size_t(block_ - k) * groups_] = even_r - w_r;
      to_i[std::size_t(block_ - k) * groups_] = w_i - even_i;
    }
  }

  // Σ over partitions and channels of spectrum times filter, both ears
  void multiply() {
    float *lr = sum_.get(), *li = lr + block_ + 1, *rr = li + block_ + 1, *ri = rr + block_ + 1;
    for (int k = 0; k <= block_; ++k) {
      Lanes a = {}, b = {}, c = {}, d = {};
      for (int p = 0; p < parts_; ++p) {
        const std::size_t x = bin((newest_ + p) % parts_, k), h = bin(p, k) * 2;
        const Lanes *xr = spectra_r_.get() + x, *xi = spectra_i_.get() + x;
        const Lanes *hr = filters_r_.get() + h, *hi = filters_i_.get() + h;
        for (int g = 0; g < groups_; ++g) {
          a += xr[g] * hr[g] - xi[g] * hi[g];
          b += xr[g] * hi[g] + xi[g] * hr[g];
          c += xr[g] * hr[groups_ + g] - xi[g] * hi[groups_ + g];
          d += xr[g] * hi[groups_ + g] + xi[g] * hr[groups_ + g];
        }
      }
      lr[k] = total(a);
      li[k] = total(b);
      rr[k] = total(c);
      ri[k] = total(d);
    }
  }

  // Inverse of `transform` for the two ears together; the second half of 2B samples is the block's output.
  void back(float* out) {
    const float* sums[2] = {sum_.get(), sum_.get() + 2 * std::size_t(block_ + 1)};
    Ears *zr = ears_.get(), *zi = zr + block_, *tr = zi + block_, *ti = tr + block_;
    const float scale = 1.0f / block_;
    for (int k = 0; k < block_; ++k) {
      Ears re = {}, im = {};
      for (int e = 0; e < 2; ++e) {
        const float *yr = sums[e], *yi = sums[e] + block_ + 1;
        const float ar = yr[k], ai = yi[k], br = yr[block_ - k], bi = -yi[block_ - k];
        const float even_r = (ar + br) * 0.5f, even_i = (ai + bi) * 0.5f, dr = (ar - br) * 0.5f, di = (ai - bi) * 0.5f;
        const float odd_r = dr * half_r_[k] + di * half_i_[k], odd_i = di * half_r_[k] - dr * half_i_[k];
        re[e] = (even_r - odd_i) * scale;
        im[e] = (even_i + odd_r) * scale;
      }
      zr[k] = re;
      zi[k] = im;
    }
    if (fft_.run<true>(zr, zi, tr, ti)) {
      std::swap(zr, tr);
      std::swap(zi, ti);
    }
    const int half = block_ / 2;
    for (int e = 0; e < 2; ++e)
      for (int i = 0; i < half; ++i) {
        out[e * block_ + 2 * i] = zr[half + i][e];
        out[e * block_ + 2 * i + 1] = zi[half + i][e];
      }
  }

  int order_, channels_, groups_, block_, parts_;
  Fft fft_;
  Harmonics harmonics_;
  std::vector<Source> sources_;
  Aligned<Lanes> old_, new_, history_, spectra_r_, spectra_i_, filters_r_, filters_i_, z_;
  Aligned<Ears> ears_;
  Aligned<float> sum_;
  std::vector<float> half_r_, half_i_;
  std::vector<int> live_;
  int live_count_ = 0, newest_ = 0;
  bool changed_ = true, started_ = false, ramped_ = false;
  double rotation_[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, origin_[3] = {0, 0, 0};
};

}  // namespace sonoworld
