// On its way to the head a signal is delayed (Doppler follows) and loses its high notes. One line per source.
// Letters: D delay in samples, r = (t + 1)/B; p = t - D, f its fraction; h filter of the air.

// The last samples of one input; the first MIRROR are repeated behind the end, so that reading never wraps.
class Line {
 public:
  static constexpr int MIRROR = 32;

  Line(int length, int air_taps) : mask_(length - 1), ring_(length + MIRROR), before_(air_taps) {}

  void push(const float* in, int count) {
    for (int i = 0; i < count; ++i) {
      const std::int64_t at = (end_ + i) & mask_;
      ring_[at] = in[i];
      if (at < MIRROR) ring_[at + mask_ + 1] = in[i];
    }
    end_ += count;
  }

  std::int64_t end() const { return end_; }
  const float* around(std::int64_t first) const { return ring_.get() + (first & mask_); }
  float* before() { return before_.get(); }

 private:
  std::int64_t mask_, end_ = 0;
  Aligned<float> ring_, before_;
};

struct Way {
  double delay = 0;
  int air = 0;
  float share = 0;
  bool known = false;
};

template <int L>
class Travel {
 public:
  typedef typename Lanes<L>::F V;

  Travel(const Law& law, int sources, int block)
      : law_(law),
        block_(block),
        taps_(law.air ? law.air_taps : 1),
        table_(law.delay ? std::size_t(law.phases + 1) * DELAY_TAPS : 0),
        air_(law.air ? std::size_t(law.ways) * law.air_taps : 0),
        ways_m_(law.ways),
        filter_old_(taps_),
        filter_new_(taps_),
        delayed_(std::size_t(taps_) + block + 2 * WIDEST),
        out_(std::size_t(sources) * block + WIDEST),
        ways_(sources),
        lines_(new Line*[sources]),
        count_(sources) {
    if (law.delay) std::memcpy(table_.get(), law.table, table_.size() * sizeof(float));
    if (law.air) {
      std::memcpy(air_.get(), law.air, air_.size() * sizeof(float));
      std::memcpy(ways_m_.get(), law.ways_m, law.ways * sizeof(double));
    }
    length_ = 64;
    while (length_ < law.rate_hz + 2.0 * block) length_ *= 2;  // one second of way: 343 m
    for (int q = 0; q < sources; ++q) lines_[q] = new Line(law.delay ? length_ : 64, taps_);
  }
  Travel(const Travel&) = delete;
  Travel& operator=(const Travel&) = delete;
  ~Travel() {
    for (int q = 0; q < count_; ++q) delete lines_[q];
    delete[] lines_;
  }

  const float* signal(int q) const { return out_.get() + std::size_t(q) * block_; }

  // A block of source q that is not heard: remembered for later.
  void miss(int q, const float* in) {
    if (law_.delay) lines_[q]->push(in, block_);
    std::memset(lines_[q]->before(), 0, sizeof(float) * taps_);
    ways_[q].known = false;
  }

  // A block of source q, now at distance d: delayed and filtered into `signal(q)`.
  void run(int q, const float* in, double d) {
    Way next = way(d), last = ways_[q].known ? ways_[q] : next;
    ways_[q] = next;
    Line& line = *lines_[q];
    float* x = delayed_.get() + taps_ - 1;
    std::memcpy(delayed_.get(), line.before(), sizeof(float) * (taps_ - 1));
    if (law_.delay) {
      line.push(in, block_);
      delay(line, last.delay, next.delay, x);
    } else {
      std::memcpy(x, in, sizeof(float) * block_);
    }
    std::memcpy(line.before(), x + block_ - (taps_ - 1), sizeof(float) * (taps_ - 1));
    float* out = out_.get() + std::size_t(q) * block_;
    if (law_.air)
      filter(last, next, x, out);
    else
      std::memcpy(out, x, sizeof(float) * block_);
  }

 private:
  Way way(double d) const {
    Way w;
    w.known = true;
    if (law_.delay) {
      const double most = length_ - block_ - 2.0 * DELAY_TAPS;
      w.delay = d * law_.rate_hz / law_.speed_m_s;
      if (w.delay < LEAST_DELAY) w.delay = LEAST_DELAY;
      if (w.delay > most) w.delay = most;
    }
    if (law_.air) {
      const double last = ways_m_[law_.ways - 1];
      double s = d - 1;
      s = s < 0 ? 0 : s > last ? last : s;
      while (w.air < law_.ways - 2 && s >= ways_m_[w.air + 1]) ++w.air;
      w.share = static_cast<float>((s - ways_m_[w.air]) / (ways_m_[w.air + 1] - ways_m_[w.air]));
    }
    return w;
  }

  float at(const Line& line, double p) const {
    const double whole = std::floor(p);
    const double row = (p - whole) * law_.phases;
    const int j = static_cast<int>(row);
    const float share = static_cast<float>(row - j);
    const float* low = table_.get() + std::size_t(j) * DELAY_TAPS;
    const float* x = line.around(static_cast<std::int64_t>(whole) - (DELAY_TAPS - DELAY_AHEAD - 1));
    Quad sum = {};
    for (int k = 0; k < DELAY_TAPS; k += 4) {
      const Quad a = load<Quad>(low + k), b = load<Quad>(low + DELAY_TAPS + k);
      sum += (a + (b - a) * share) * load<Quad>(x + k);
    }
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
  }

  void delay(const Line& line, double from, double to, float* out) const {
    const double start = static_cast<double>(line.end() - block_), step = 1.0 / block_;
    if (std::fabs(to - from) > 0.5 * block_) {  // a jump, not a motion
      for (int t = 0; t < block_; ++t) {
        const float r = static_cast<float>((t + 1) * step);
        out[t] = (1 - r) * at(line, start + t - from) + r * at(line, start + t - to);
      }
      return;
    }
    for (int t = 0; t < block_; ++t) out[t] = at(line, start + t - (from + (to - from) * ((t + 1) * step)));
  }

  void mixed(const Way& w, float* h) const {
    const float* low = air_.get() + std::size_t(w.air) * taps_;
    for (int k = 0; k < taps_; ++k) h[k] = low[k] + (low[taps_ + k] - low[k]) * w.share;
  }

  void filter(const Way& last, const Way& next, const float* x, float* out) {
    const bool moves = last.air != next.air || last.share != next.share;
    mixed(next, filter_new_.get());
    if (moves) mixed(last, filter_old_.get());
    const float step = 1.0f / block_;
    int t = 0;
    for (; t + L <= block_; t += L) {
      V b = {};
      for (int k = 0; k < taps_; ++k) b += load<V>(x + t - k) * filter_new_[k];
      if (moves) {
        V a = {}, r = {};
        for (int k = 0; k < taps_; ++k) a += load<V>(x + t - k) * filter_old_[k];
        for (int i = 0; i < L; ++i) r[i] = (t + i + 1) * step;
        b = a + (b - a) * r;
      }
      store(out + t, b);
    }
    for (; t < block_; ++t) {
      float a = 0, b = 0;
      for (int k = 0; k < taps_; ++k) b += x[t - k] * filter_new_[k];
      for (int k = 0; moves && k < taps_; ++k) a += x[t - k] * filter_old_[k];
      out[t] = moves ? a + (b - a) * ((t + 1) * step) : b;
    }
  }

  Law law_;
  int block_, taps_, length_ = 64;
  Aligned<float> table_, air_;
  Aligned<double> ways_m_;
  Aligned<float> filter_old_, filter_new_, delayed_, out_;
  Aligned<Way> ways_;
  Line** lines_;
  int count_;
};
