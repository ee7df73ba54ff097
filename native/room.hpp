// What a room adds, in world axes and at first order: one reflection per source and wall, and one late field for all.
//
// Letters: s sources that take part, w walls (n·x = q), B block, t sample; D delay in samples, N = floor(D) + 1;
// m branches: sample t - D is Σ_m u^m z_m(t - N + DELAY_AHEAD), u = 2 (N - D) - 1, where z_m is the input through the
// filter m, made once per source (Farrow, ISCAS 1988); c channels W Y Z X.
// Twin of render/room_stream.py.

// Two biquads for each of the four channels of every wall; lanes are channels of walls.
template <int L>
class WallFilters {
 public:
  typedef typename Lanes<L>::F V;

  explicit WallFilters(const RoomSetup& room)
      : groups_((4 * room.walls + L - 1) / L),
        taps_(10 * std::size_t(groups_)),
        state_(4 * std::size_t(groups_)),
        lanes_(PIECE * std::size_t(groups_)) {
    for (int w = 0; w < room.walls; ++w)
      for (int i = 0; i < 10; ++i)
        for (int c = 0; c < 4; ++c) taps_[std::size_t(4 * w + c) / L * 10 + i][(4 * w + c) % L] = room.filters[10 * w + i];
  }

  // rows [4][block] += Σ over walls of what they give back of walls [w][4][stride]
  void run(const float* walls, std::size_t stride, int count, int block, float* rows) {
    for (int t = 0; t < block; t += PIECE) {
      const int length = block - t < PIECE ? block - t : PIECE;
      gather(walls + t, stride, count, length);
      for (int g = 0; g < groups_; ++g) filter(g, length);
      scatter(rows + t, block, length);
    }
    calm();
  }

 private:
  static constexpr int PIECE = 64;

  // Time first: lanes_[t][channel of wall]
  void gather(const float* walls, std::size_t stride, int count, int length) {
    float* lanes = reinterpret_cast<float*>(lanes_.get());
    const std::size_t width = std::size_t(groups_) * L;
    for (int w = 0; w < count; ++w) {
      const float* from = walls + std::size_t(w) * 4 * stride;  // readable beyond the block
      for (int t = 0; t < length; t += 4) {
        Quad a = load<Quad>(from + t), b = load<Quad>(from + stride + t), c = load<Quad>(from + 2 * stride + t),
             d = load<Quad>(from + 3 * stride + t);
        transpose(a, b, c, d);
        float* to = lanes + t * width + 4 * w;
        store(to, a);
        store(to + width, b);
        store(to + 2 * width, c);
        store(to + 3 * width, d);
      }
    }
  }

  // Direct form II, transposed, twice.
  void filter(int g, int length) {
    const V* b = taps_.get() + std::size_t(g) * 10;
    V* kept = state_.get() + std::size_t(g) * 4;
    V s0 = kept[0], s1 = kept[1], s2 = kept[2], s3 = kept[3];
    V* x = lanes_.get() + g;
    for (int t = 0; t < length; ++t, x += groups_) {
      const V in = *x, y = b[0] * in + s0;
      s0 = b[1] * in + s1 - b[3] * y;
      s1 = b[2] * in - b[4] * y;
      const V z = b[5] * y + s2;
      s2 = b[6] * y + s3 - b[8] * z;
      s3 = b[7] * y - b[9] * z;
      *x = z;
    }
    kept[0] = s0;
    kept[1] = s1;
    kept[2] = s2;
    kept[3] = s3;
  }

  void scatter(float* rows, int block, int length) const {
    const V* x = lanes_.get();
    int t = 0;
    for (; t + 4 <= length; t += 4, x += 4 * groups_) {
      Quad a = sum(x), b = sum(x + groups_), c = sum(x + 2 * groups_), d = sum(x + 3 * groups_);
      transpose(a, b, c, d);
      const Quad of[4] = {a, b, c, d};
      for (int i = 0; i < 4; ++i) store(rows + std::size_t(i) * block + t, load<Quad>(rows + std::size_t(i) * block + t) + of[i]);
    }
    for (; t < length; ++t, x += groups_) {
      const Quad one = sum(x);
      for (int c = 0; c < 4; ++c) rows[std::size_t(c) * block + t] += one[c];
    }
  }

  Quad sum(const V* x) const {
    V all = x[0];
    for (int g = 1; g < groups_; ++g) all += x[g];
    return folded(all);
  }

  // What has faded away is 0: numbers next to it are slow. So is what an unstable filter has made.
  void calm() {
    float* values = reinterpret_cast<float*>(state_.get());
    for (std::size_t i = 0; i < state_.size() * L; ++i)
      if (!(std::fabs(values[i]) > 1e-25f && std::fabs(values[i]) < 1e15f)) values[i] = 0;
  }

  int groups_;
  Aligned<V> taps_;   // [group][b0 b1 b2 a1 a2 of the first, of the second]
  Aligned<V> state_;  // [group][4]
  Aligned<V> lanes_;  // [t][group]
};

// The last samples of all sources in branches, each repeated behind its end so that reading a block never wraps.
template <int L>
class Branches {
 public:
  typedef typename Lanes<L>::F V;
  static constexpr int COUNT = 5;

  Branches(const RoomSetup& room, int sources, int block, int length)
      : block_(block),
        mask_(length - 1),
        mirror_(block + 2 * WIDEST),
        line_(DELAY_TAPS + std::size_t(block) + 2 * WIDEST),
        before_(std::size_t(sources) * DELAY_TAPS),
        made_(COUNT * (std::size_t(block) + WIDEST)),
        ring_(std::size_t(sources) * COUNT * (length + mirror_)) {
    for (int i = 0; i < COUNT * DELAY_TAPS && room.branches; ++i) taps_[i] = room.branches[i];
  }

  // The next block of source s; `advance` when all have theirs.
  void push(int s, const float* in) {
    constexpr int past = DELAY_TAPS - 1;
    float *x = line_.get(), *before = before_.get() + std::size_t(s) * DELAY_TAPS;
    std::memcpy(x, before, sizeof(float) * past);
    std::memcpy(x + past, in, sizeof(float) * block_);
    std::memcpy(before, x + block_, sizeof(float) * past);
    const std::int64_t at = end_ & mask_;
    const bool whole = at + block_ + WIDEST <= mask_ + 1;
    const std::size_t width = whole ? std::size_t(mask_ + 1 + mirror_) : std::size_t(block_) + WIDEST;
    float* to = whole ? ring(s, 0) + at : made_.get();
    for (int t = 0; t < block_; t += L) {
      V sum[COUNT] = {};
      for (int k = 0; k < DELAY_TAPS; ++k) {
        const V seen = load<V>(x + t + k);
        for (int m = 0; m < COUNT; ++m) sum[m] += seen * taps_[m * DELAY_TAPS + k];
      }
      for (int m = 0; m < COUNT; ++m) store(to + m * width + t, sum[m]);
    }
    for (int m = 0; m < COUNT; ++m)
      if (whole)
        repeat(ring(s, m), at, block_);
      else
        keep(ring(s, m), made_.get() + m * width);
  }

  void advance() { end_ += block_; }

  // out [block] = the newest block of source s, later by a delay on a straight line; a jump fades instead
  void read(int s, double from, double to, float* out, float* scratch) const {
    if (std::fabs(to - from) > 0.5 * block_) {
      still(s, from, out);
      still(s, to, scratch);
      const float step = 1.0f / block_;
      for (int t = 0; t < block_; ++t) out[t] += (scratch[t] - out[t]) * (step * (t + 1));
      return;
    }
    const double step = (to - from) / block_;
    for (int t = 0; t < block_;) {
      const double whole = std::floor(from + step * (t + 1)) + 1;
      int end = block_;
      if (step != 0) {
        const double limit = (step > 0 ? whole : whole - 1) - from;  // the delay leaves [N - 1, N) here
        const double last = limit / step;
        if (last < block_ + 1) end = static_cast<int>(std::ceil(last)) - 1;
        if (end <= t) end = t + 1;
        if (end > block_) end = block_;
      }
      piece(s, t, end, static_cast<std::int64_t>(whole), 2 * (whole - from - step * (t + 1)) - 1, -2 * step, out);
      t = end;
    }
  }

 private:
  float* ring(int s, int m) { return ring_.get() + (std::size_t(s) * COUNT + m) * (mask_ + 1 + mirror_); }
  const float* ring(int s, int m) const { return ring_.get() + (std::size_t(s) * COUNT + m) * (mask_ + 1 + mirror_); }

  void keep(float* ring, const float* x) {
    const std::int64_t at = end_ & mask_, size = mask_ + 1;
    const std::int64_t first = at + block_ <= size ? block_ : size - at;
    std::memcpy(ring + at, x, sizeof(float) * first);
    repeat(ring, at, first);
    std::memcpy(ring, x + first, sizeof(float) * (block_ - first));
    repeat(ring, 0, block_ - first);
  }

  // What lies within the first samples of a ring is written again behind its end.
  void repeat(float* ring, std::int64_t at, std::int64_t count) {
    if (at + count > mirror_) count = mirror_ - at;
    if (count > 0) std::memcpy(ring + mask_ + 1 + at, ring + at, sizeof(float) * count);
  }

  void still(int s, double delay, float* out) const {
    const double whole = std::floor(delay) + 1;
    piece(s, 0, block_, static_cast<std::int64_t>(whole), 2 * (whole - delay) - 1, 0, out);
  }

  // Samples first .. end - 1 with u rising from `u` by `step`; what is written beyond the end is overwritten next.
  void piece(int s, int first, int end, std::int64_t whole, double u, double step, float* out) const {
    const std::int64_t at = (end_ + first - whole + DELAY_AHEAD) & mask_;
    const float *z0 = ring(s, 0) + at, *z1 = ring(s, 1) + at, *z2 = ring(s, 2) + at, *z3 = ring(s, 3) + at,
                *z4 = ring(s, 4) + at;
    V ramp = {};
    for (int lane = 0; lane < L; ++lane) ramp[lane] = static_cast<float>(lane * step);
    for (int t = 0; t < end - first; t += L) {
      const V v = ramp + static_cast<float>(u + t * step);
      V y = load<V>(z4 + t);
      y = y * v + load<V>(z3 + t);
      y = y * v + load<V>(z2 + t);
      y = y * v + load<V>(z1 + t);
      y = y * v + load<V>(z0 + t);
      store(out + first + t, y);
    }
  }

  int block_;
  std::int64_t mask_, mirror_, end_ = 0;
  float taps_[COUNT * DELAY_TAPS] = {};
  Aligned<float> line_, before_, made_, ring_;
};

template <int L>
class RoomField {
 public:
  typedef typename Lanes<L>::F V;

  RoomField(const Setup& setup, int size)
      : room_(setup.room ? *setup.room : RoomSetup{}),
        law_(setup.law),
        block_(setup.block),
        count_(0),
        walls_(room_.walls),
        normals_(3 * std::size_t(walls_)),
        offsets_(walls_),
        sends_(setup.room ? setup.sources : 0),
        rows_(setup.room ? setup.sources : 0),
        stamps_(setup.room ? setup.sources : 0),
        length_(kept(setup)),
        branches_(room_, walls_ ? taking_part(setup) : 0, block_, length_),
        filters_(room_),
        late_(room_, block_, size),
        ways_(std::size_t(taking_part(setup)) * walls_),
        inside_(taking_part(setup)),
        before_(taking_part(setup)),
        reflected_(4 * std::size_t(walls_) * stride()),
        delayed_(taking_part(setup) * stride()),
        other_(stride()),
        gains_(8 * std::size_t(taking_part(setup))),
        bus_(block_),
        lingers_(4 * std::size_t(block_)) {
    if (!setup.room) return;
    std::memcpy(normals_.get(), room_.normals, sizeof(double) * 3 * walls_);
    std::memcpy(offsets_.get(), room_.offsets, sizeof(double) * walls_);
    std::memcpy(sends_.get(), room_.sends, sizeof(float) * setup.sources);
    for (int q = 0; q < setup.sources; ++q)
      if (sends_[q] > 0) rows_[count_++] = q;
  }

  bool any() const { return count_ > 0 && (walls_ > 0 || late_.any()); }

  // rows [4][block] += reflections and late field of the inputs [sources][block]
  void run(const State& state, const float* in, float* rows) {
    place(state);
    if (walls_) {
      reflect(in);
      filters_.run(reflected_.get(), stride(), walls_, block_, rows);
    }
    if (late_.any()) linger(in, rows);
    started_ = true;
  }

 private:
  struct Way {
    double delay, next_delay;
    float gain[4], next[4];
    bool heard() const {
      for (int c = 0; c < 4; ++c)
        if (gain[c] != 0 || next[c] != 0) return true;
      return false;
    }
  };

  static int taking_part(const Setup& setup) {
    int count = 0;
    for (int q = 0; setup.room && q < setup.sources; ++q) count += setup.room->sends[q] > 0;
    return count;
  }

  static int kept(const Setup& setup) {
    if (!setup.room || !setup.room->walls) return 32;
    const double longest = setup.law.delay ? setup.law.rate_hz : setup.room->longest_m / setup.law.speed_m_s * setup.law.rate_hz;
    int length = 64;
    while (length < longest + 2.0 * setup.block + 4 * DELAY_TAPS) length *= 2;
    return length;
  }

  std::size_t stride() const { return std::size_t(block_) + 2 * WIDEST; }

  // Ways and shares at the end of this block; at its beginning they are what they were at the end of the last one.
  void place(const State& state) {
    const bool walked = !started_ || std::memcmp(state.origin, origin_, sizeof origin_) != 0;
    std::memcpy(origin_, state.origin, sizeof origin_);
    const double depth = depth_of(state.origin);
    share_before_ = started_ ? share_ : within(depth);
    share_ = within(depth);
    for (int s = 0; s < count_; ++s) {
      const Source& source = state.sources[rows_[s]];
      Way* ways = ways_.get() + std::size_t(s) * walls_;
      if (started_) before_[s] = inside_[s];
      for (int w = 0; w < walls_ && started_; ++w) {
        ways[w].delay = ways[w].next_delay;
        std::memcpy(ways[w].gain, ways[w].next, sizeof ways[w].gain);
      }
      if (!walked && stamps_[s] == source.stamp) continue;
      stamps_[s] = source.stamp;
      const double* p = source.surface ? source.surface->centroid : source.position;
      const double own = depth_of(p);
      inside_[s] = source.placed ? static_cast<float>(within(own) * source.gain) * sends_[rows_[s]] : 0.0f;
      if (!started_) before_[s] = inside_[s];
      for (int w = 0; w < walls_; ++w) {
        way(source, p, w, source.placed && depth > 0 && own > 0, ways[w]);
        if (started_) continue;
        ways[w].delay = ways[w].next_delay;
        std::memcpy(ways[w].gain, ways[w].next, sizeof ways[w].gain);
      }
    }
  }

  void way(const Source& source, const double* p, int w, bool inside, Way& to) const {
    const double *n = normals_.get() + 3 * w, behind = along(w, p) - offsets_[w];
    double image[3], x[3], square = 0, direct = law_.near_m * law_.near_m;
    for (int k = 0; k < 3; ++k) {
      image[k] = p[k] - 2 * behind * n[k];
      x[k] = image[k] - origin_[k];
      square += x[k] * x[k];
      direct += (p[k] - origin_[k]) * (p[k] - origin_[k]);
    }
    const double d = std::sqrt(square + law_.near_m * law_.near_m), extra = d - std::sqrt(direct);
    const double longer = law_.delay ? d : extra, most = length_ - block_ - 2.0 * DELAY_TAPS;
    double delay = longer * law_.rate_hz / law_.speed_m_s;
    if (delay < LEAST_DELAY) delay = LEAST_DELAY;
    to.next_delay = delay > most ? most : delay;
    for (float& gain : to.next) gain = 0;
    if (!inside || extra >= room_.longest_m || !exists(w, x)) return;
    double level = source.gain * law_.scale / d;
    if (law_.alpha != 0) level *= std::exp(-law_.alpha * (d - 1));
    if (source.directed) {
      const double* f = source.facing;
      const double turn = 2 * (f[0] * n[0] + f[1] * n[1] + f[2] * n[2]);
      double cosine = 0;
      for (int k = 0; k < 3; ++k) cosine -= (f[k] - turn * n[k]) * x[k] / d;
      const double b = 1 - source.omni + source.omni * cosine;
      level *= source.sharpness == 1 ? b : b * std::pow(std::fabs(b), source.sharpness - 1);
    }
    const double r = square > 0 ? std::sqrt(square) : 1;
    to.next[0] = static_cast<float>(level);
    to.next[1] = static_cast<float>(level * x[1] / r);
    to.next[2] = static_cast<float>(level * x[2] / r);
    to.next[3] = static_cast<float>(level * x[0] / r);
  }

  // Whether the way to the image at x from here meets its wall where the wall is part of the space.
  bool exists(int w, const double* x) const {
    const double towards = along(w, x);
    if (towards <= 0) return false;
    const double t = (offsets_[w] - along(w, origin_)) / towards;
    const double hit[3] = {origin_[0] + t * x[0], origin_[1] + t * x[1], origin_[2] + t * x[2]};
    for (int k = 0; k < walls_; ++k)
      if (k != w && along(k, hit) - offsets_[k] > 1e-9) return false;
    return true;
  }

  double along(int w, const double* x) const {
    const double* n = normals_.get() + 3 * w;
    return n[0] * x[0] + n[1] * x[1] + n[2] * x[2];
  }

  // Metres to the nearest wall, negative behind one.
  double depth_of(const double* x) const {
    double least = HUGE_VAL;
    for (int w = 0; w < walls_; ++w) {
      const double depth = offsets_[w] - along(w, x);
      if (depth < least) least = depth;
    }
    return least;
  }

  // 1 in the room, 0 from half a metre behind a wall on.
  static double within(double depth) {
    const double share = 1 + 2 * depth;
    return share < 0 ? 0 : share > 1 ? 1 : share;
  }

  void reflect(const float* in) {
    for (int s = 0; s < count_; ++s) branches_.push(s, in + std::size_t(rows_[s]) * block_);
    for (int w = 0; w < walls_; ++w) {
      int heard = 0;
      for (int s = 0; s < count_; ++s) {
        const Way& way = ways_[std::size_t(s) * walls_ + w];
        if (!way.heard()) continue;
        branches_.read(s, way.delay, way.next_delay, delayed_.get() + heard * stride(), other_.get());
        for (int c = 0; c < 4; ++c) {
          gains_[8 * heard + c] = way.gain[c];
          gains_[8 * heard + 4 + c] = way.next[c] - way.gain[c];
        }
        ++heard;
      }
      gather(heard, reflected_.get() + std::size_t(w) * 4 * stride());
    }
    branches_.advance();
  }

  // to [4][stride] = Σ over ways, gains on straight lines
  void gather(int heard, float* to) const {
    V first = {};
    const float step = 1.0f / block_;
    for (int lane = 0; lane < L; ++lane) first[lane] = step * (lane + 1);
    for (int t = 0; t < block_; t += L) {
      V still[4] = {}, change[4] = {};
      for (int i = 0; i < heard; ++i) {
        const V y = load<V>(delayed_.get() + i * stride() + t);
        const float* g = gains_.get() + 8 * i;
        for (int c = 0; c < 4; ++c) {
          still[c] += y * g[c];
          change[c] += y * g[4 + c];
        }
      }
      const V r = first + step * t;
      for (int c = 0; c < 4; ++c) store(to + c * stride() + t, still[c] + change[c] * r);
    }
  }

  void linger(const float* in, float* rows) {
    const float step = 1.0f / block_;
    bus_.clear();
    for (int s = 0; s < count_; ++s) {
      const float *x = in + std::size_t(rows_[s]) * block_, from = before_[s], change = inside_[s] - from;
      if (from == 0 && change == 0) continue;
      for (int t = 0; t < block_; ++t) bus_[t] += x[t] * (from + change * (step * (t + 1)));
    }
    late_.run(bus_.get(), lingers_.get());
    const float from = static_cast<float>(share_before_), change = static_cast<float>(share_) - from;
    for (int c = 0; c < 4; ++c) {
      float* to = rows + std::size_t(c) * block_;
      const float* x = lingers_.get() + std::size_t(c) * block_;
      for (int t = 0; t < block_; ++t) to[t] += x[t] * (from + change * (step * (t + 1)));
    }
  }

  RoomSetup room_;
  Law law_;
  int block_, count_, walls_;
  Aligned<double> normals_, offsets_;
  Aligned<float> sends_;
  Aligned<int> rows_;  // inputs that take part
  Aligned<std::uint64_t> stamps_;
  int length_;
  Branches<L> branches_;
  WallFilters<L> filters_;
  LateField<L> late_;
  Aligned<Way> ways_;  // [source][wall]
  Aligned<float> inside_, before_;
  Aligned<float> reflected_, delayed_, other_, gains_, bus_, lingers_;
  double origin_[3] = {0, 0, 0}, share_ = 1, share_before_ = 1;
  bool started_ = false;
};
