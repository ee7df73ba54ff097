// Four signals out of one through long filters, soon: what lingers in a room.
//
// Letters: B block; c channels W Y Z X; k bins; p partitions. Uniform partitions with kept spectra (Wefers 2015, section
// 5.2); what comes later than 8 B goes through partitions of 4 B, whose work is spread over four blocks (Gardner, JAES 43,
// 1995).

// Uniform partitions of `span` taps each, from tap `first` on.
template <int L>
class Partitions {
 public:
  typedef typename Lanes<L>::F V;

  Partitions(const RoomSetup& room, int first, int end, int span, int size)
      : span_(span),
        size_(size),
        groups_((size / 2 + L) / L),
        parts_(end > first ? (end - first + span - 1) / span : 0),
        spectra_(parts_ ? size : 32),
        pair_(parts_ ? size : 32),
        filters_(std::size_t(groups_) * parts_ * 8),
        kept_(std::size_t(groups_) * parts_ * 2),
        re_(parts_ ? groups_ * L : 0),
        im_(re_.size()),
        sums_(parts_ ? 2 * stride() : 0),
        tail_(parts_ ? 4 * std::size_t(span) : 0) {
    for (int p = 0; p < parts_; ++p) {
      for (int t = 0; t < size_ / 2; ++t) {
        Quad v = {};
        const int at = first + p * span + t;
        for (int c = 0; c < 4; ++c)
          if (t < span && at < end) v[c] = room.late[std::size_t(c) * room.late_taps + at];
        (t % 2 ? spectra_.odd() : spectra_.even())[t / 2] = v;
      }
      spectra_.run(re_.get(), im_.get(), 1);
      for (int k = 0; k <= size_ / 2; ++k)
        for (int c = 0; c < 4; ++c) {
          float* to = reinterpret_cast<float*>(filters_.get() + (std::size_t(k / L) * parts_ + p) * 8 + 2 * c) + k % L;
          to[0] = re_[k][c];
          to[L] = im_[k][c];
        }
    }
  }

  bool any() const { return parts_ > 0; }
  int groups() const { return groups_; }

  // The next `span` samples.
  void take(const float* x) {
    Quad *even = spectra_.even(), *odd = spectra_.odd();
    for (int t = 0; t < size_ / 2; ++t) (t % 2 ? odd : even)[t / 2] = broadcast<Quad>(t < span_ ? x[t] : 0.0f);
    spectra_.run(re_.get(), im_.get(), 1);
    newest_ = (newest_ + parts_ - 1) % parts_;
    for (int g = 0; g < groups_; ++g) {
      V* slot = kept_.get() + (std::size_t(g) * parts_ + newest_) * 2;
      for (int lane = 0; lane < L; ++lane) {
        slot[0][lane] = re_[g * L + lane][0];
        slot[1][lane] = im_[g * L + lane][0];
      }
    }
  }

  // Bins of groups first .. end - 1 of every channel: Σ_p H_p X_p, the newest spectrum with the first partition.
  void multiply(int first, int end) {
    for (int g = first; g < end; ++g) {
      const V *h = filters_.get() + std::size_t(g) * parts_ * 8, *x = kept_.get() + std::size_t(g) * parts_ * 2;
      V sum[8] = {};
      for (int p = 0, at = newest_; p < parts_; ++p, h += 8, at = at + 1 == parts_ ? 0 : at + 1) {
        const V r = x[2 * at], i = x[2 * at + 1];
        for (int c = 0; c < 4; ++c) {
          sum[2 * c] += r * h[2 * c] - i * h[2 * c + 1];
          sum[2 * c + 1] += r * h[2 * c + 1] + i * h[2 * c];
        }
      }
      for (int pair = 0; pair < 2; ++pair) {
        Quad* to = sums_.get() + pair * stride() + g * L;
        for (int part = 0; part < L / 4; ++part) {
          Quad a[4];
          for (int i = 0; i < 4; ++i) std::memcpy(&a[i], reinterpret_cast<const Quad*>(&sum[4 * pair + i]) + part, sizeof(Quad));
          transpose(a[0], a[1], a[2], a[3]);
          for (int i = 0; i < 4; ++i) to[4 * part + i] = a[i];
        }
      }
    }
  }

  // Channels 2·pair and 2·pair + 1 of rows [4][span].
  void give(int pair, float* rows) {
    pair_.run(sums_.get() + pair * stride());
    for (int e = 0; e < 2; ++e) {
      const float* y = e == 0 ? pair_.left() : pair_.right();
      float *tail = tail_.get() + std::size_t(2 * pair + e) * span_, *to = rows + std::size_t(2 * pair + e) * span_;
      for (int t = 0; t < span_; ++t) to[t] = y[t] + tail[t];
      std::memcpy(tail, y + span_, sizeof(float) * span_);
    }
  }

 private:
  std::size_t stride() const { return std::size_t(groups_) * L + 3; }

  int span_, size_, groups_, parts_, newest_ = 0;
  RealSpectra<Quad> spectra_;
  PairSignal pair_;
  Aligned<V> filters_;  // [group][partition][channel][re, im]
  Aligned<V> kept_;     // [group][slot][re, im]
  Aligned<Quad> re_, im_, sums_;
  Aligned<float> tail_;
};

template <int L>
class LateField {
 public:
  LateField(const RoomSetup& room, int block, int size)
      : block_(block),
        taps_(room.late ? room.late_taps : 0),
        split_(block <= 1024 && taps_ > 4 * SPREAD * block ? 2 * SPREAD * block : taps_),
        soon_(room, 0, split_, block, size),
        later_(room, split_, taps_, SPREAD * block, SPREAD * size),
        chunk_(later_.any() ? SPREAD * std::size_t(block) : 0),
        made_(4 * chunk_.size()),
        ready_(4 * chunk_.size()) {}

  bool any() const { return taps_ > 0; }

  // rows [4][block] = what lingers of all blocks so far
  void run(const float* x, float* rows) {
    soon_.take(x);
    soon_.multiply(0, soon_.groups());
    for (int pair = 0; pair < 2; ++pair) soon_.give(pair, rows);
    if (!later_.any()) return;
    work();
    std::memcpy(chunk_.get() + std::size_t(phase_) * block_, x, sizeof(float) * block_);
    for (int c = 0; c < 4; ++c) {
      const float* from = ready_.get() + (std::size_t(c) * SPREAD + phase_) * block_;
      float* to = rows + std::size_t(c) * block_;
      for (int t = 0; t < block_; ++t) to[t] += from[t];
    }
    phase_ = (phase_ + 1) % SPREAD;
  }

 private:
  static constexpr int SPREAD = 4;

  // A fourth of what the last whole chunk needs; its sound is ready when the next chunk is whole.
  void work() {
    const int groups = later_.groups();
    if (phase_ == 0) {
      std::memcpy(ready_.get(), made_.get(), sizeof(float) * made_.size());
      later_.take(chunk_.get());
      later_.multiply(0, groups / 4);
    } else if (phase_ == 1) {
      later_.multiply(groups / 4, groups * 3 / 4);
    } else if (phase_ == 2) {
      later_.multiply(groups * 3 / 4, groups);
      later_.give(0, made_.get());
    } else {
      later_.give(1, made_.get());
    }
  }

  int block_, taps_, split_;
  Partitions<L> soon_, later_;
  Aligned<float> chunk_, made_, ready_;
  int phase_ = 0;
};
