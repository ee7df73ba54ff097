// Sources around a head -> two ears, one block at a time, on L lanes.
//
// Letters: q sources, c channels (ACN), B samples per block, N FFT size (a power of two, at least 2B), k bins 0 .. N/2,
// P partitions of the filters (B taps each), g groups of L lanes.
// Method: overlap-add, uniformly partitioned (Gardner 1995; Wefers 2015, section 5.2), so nothing is later than it must
// be: a block's spectrum times partition p is added to the sum of the block p later. There are two ways into these
// sums, with the same result, and every block takes the cheaper one:
//   channels first: sources -> channels, each gain on a straight line through the block -> spectra -> filters per channel;
//   filters first: spectra of the sources (as they are, and times the ramp) -> one filter per source, Σ_c g_c H_c.
#include "memory.hpp"
#include "lanes.hpp"
#include "fft.hpp"
#include "gains.hpp"
#include "rotation.hpp"
#include "travel.hpp"
#include "near.hpp"
#include "late.hpp"
#include "room.hpp"

template <int L>
class Kernel final : public Renderer {
 public:
  typedef typename Lanes<L>::F V;
  typedef typename Lanes<L>::D D;

  explicit Kernel(const Setup& setup)
      : order_(setup.order),
        channels_((setup.order + 1) * (setup.order + 1)),
        groups_((channels_ + L - 1) / L),
        block_(setup.block),
        size_(fft_size(setup.block)),
        bins_(size_ / 2 + 1),
        parts_((setup.taps + setup.block - 1) / setup.block),
        count_(setup.sources),
        law_(setup.law),
        spectra_(size_),
        pair_(size_),
        travel_(setup.law, setup.law.delay || setup.law.air ? setup.sources : 0, setup.block),
        filters_r_(filter_size(groups_)),
        filters_i_(filter_size(groups_)),
        spectrum_r_(std::size_t(bins_) * groups_),
        spectrum_i_(std::size_t(bins_) * groups_),
        sums_(std::size_t(parts_) * (bins_ + 3)),
        tail_(2 * std::size_t(block_)),
        old_(std::size_t(count_) * groups_),
        new_(std::size_t(count_) * groups_),
        stamps_(count_),
        live_(count_ + L),
        inputs_(inputs_size()),
        moved_(count_),
        alive_(count_),
        bed_rows_(std::size_t(channels_) * block_),
        bed_old_(std::size_t(channels_) * groups_),
        bed_new_(std::size_t(channels_) * groups_),
        first_most_(groups_ > 2 ? groups_ : 2),
        own_r_(filter_size(first_most_)),
        own_i_(filter_size(first_most_)),
        own_known_(first_most_),
        first_r_(std::size_t(bins_)),
        first_i_(std::size_t(bins_)),
        mix_(channels_),
        silence_(block_),
        travels_(setup.law.delay || setup.law.air),
        measures_(travels_ || setup.law.near),
        distances_(measures_ ? count_ : 0),
        near_field_(setup.law, setup.order, setup.sources, setup.block),
        near_old_(setup.law.near ? std::size_t(count_) * (setup.order + 1) * groups_ : 0),
        near_new_(near_old_.size()),
        world_(std::size_t(count_) * channels_),
        sounds_(count_),
        near_(count_),
        room_(setup, size_),
        before_(setup.law.near ? count_ : 0) {
    transform_cost_ = 7.0 * size_;
    for (int n = size_; n > 4; n /= 4) transform_cost_ += 4.5 * size_;
    load_filters(setup.filters, setup.taps);
  }

  int lanes() const override { return L; }

  Outcome process(const State& state, const float* in, float* out) override {
    if (!update(state)) return Outcome::at_the_head;
    const float* heard = bring(in);
    approach(state, heard);
    play_bed(state, in);
    const Plan plan = choose();
    Quad* now = sum(0);
    if (plan.channels) {
      for (int g = 0; g < groups_; ++g) encode(g, heard, plan);
      multiply(spectrum_r_.get(), spectrum_i_.get(), filters_r_.get(), filters_i_.get(), groups_);
    }
    for (int i = 0; i < first_groups_; ++i) {
      if (plan.first[i])
        filter_first(i, heard);
      else
        own_known_[i] = 0;
    }
    pair_.run(now);
    for (int e = 0; e < 2; ++e) {
      const float* y = e == 0 ? pair_.left() : pair_.right();
      float *tail = tail_.get() + std::size_t(e) * block_, *to = out + std::size_t(e) * block_;
      for (int t = 0; t < block_; ++t) to[t] = y[t] + tail[t];
      std::memcpy(tail, y + block_, sizeof(float) * block_);
    }
    std::memset(static_cast<void*>(now), 0, sizeof(Quad) * (bins_ + 3));
    newest_ = (newest_ + 1) % parts_;
    settle();
    return Outcome::done;
  }

 private:
  static constexpr unsigned char NOW = 1, BEFORE = 2;
  static constexpr double PATIENCE = 16;  // blocks for which a source that stands still is expected to go on so
  static constexpr int MOST_GROUPS = (MAX_CHANNELS + 3) / 4;

  struct Plan {
    bool channels = false;
    bool first[MOST_GROUPS] = {};
  };

  static int fft_size(int block) {
    int size = 32;
    while (size < 2 * block) size *= 2;
    return size;
  }

  std::size_t inputs_size() const { return std::size_t(count_) * (law_.near ? order_ + 1 : 1) + MAX_CHANNELS; }
  std::size_t filter_size(int groups) const { return std::size_t(parts_) * bins_ * 2 * groups; }
  Quad* sum(int later) { return sums_.get() + std::size_t((newest_ + later) % parts_) * (bins_ + 3); }
  float* gains(Aligned<V>& of, int q) { return reinterpret_cast<float*>(of.get() + std::size_t(q) * groups_); }

  // Layout of filters: [partition][bin][ear][group], lanes are channels.
  void load_filters(const float* filters, int taps) {
    for (int e = 0; e < 2; ++e)
      for (int p = 0; p < parts_; ++p)
        for (int g = 0; g < groups_; ++g) {
          for (int t = 0; t < size_ / 2; ++t) {
            V v = {};
            for (int lane = 0; lane < L && g * L + lane < channels_; ++lane)
              if (t < block_ && p * block_ + t < taps)
                v[lane] = filters[(std::size_t(e) * channels_ + g * L + lane) * taps + p * block_ + t];
            (t % 2 ? spectra_.odd() : spectra_.even())[t / 2] = v;
          }
          clear_rest(size_ / 2);
          const std::size_t to = (std::size_t(p) * bins_ * 2 + e) * groups_ + g;
          spectra_.run(filters_r_.get() + to, filters_i_.get() + to, 2 * std::size_t(groups_));
        }
  }

  // The transform takes the second half of its input as zero; what lies between the block and that half is set here.
  void clear_rest(int written) {
    for (int t = written; t < size_ / 2; ++t) (t % 2 ? spectra_.odd() : spectra_.even())[t / 2] = V{};
  }

  // ---- control -> gains ------------------------------------------------------------------------------------------

  // New gains where something changed; false when a source is at the head under a law that has no answer there.
  bool update(const State& state) {
    const bool turned = state.listener_stamp != listener_stamp_;
    walked_ = std::memcmp(state.origin, origin_, sizeof origin_) != 0 || listener_stamp_ == ~std::uint64_t(0);
    std::memcpy(origin_, state.origin, sizeof origin_);
    turned_ = false;
    bool relist = false;
    int pending[L], waiting = 0;
    for (int q = 0; q < count_; ++q) {
      const Source& source = state.sources[q];
      if (source.copy) {  // set with the surface before it
        stamps_[q] = source.stamp;
        continue;
      }
      if (source.stamp == stamps_[q] && (!turned || !source.placed)) continue;
      const std::uint64_t last = stamps_[q];
      stamps_[q] = source.stamp;
      moved_[q] = 1;
      alive_[q] |= source.placed ? NOW : 0;
      if (!source.placed) {
        std::memset(static_cast<void*>(gains(new_, q)), 0, sizeof(V) * groups_);
        alive_[q] &= static_cast<unsigned char>(~NOW);
        if (measures_ && !source.copy) distances_[q] = way_to(state, source.position);
      } else if (source.surface) {
        if (!place_surface(state, q, source.stamp != last)) return undecided();
      } else {
        pending[waiting++] = q;
        if (waiting == L) {
          if (!place_points(state, pending, waiting)) return undecided();
          waiting = 0;
        }
      }
      relist = true;
    }
    if (waiting && !place_points(state, pending, waiting)) return undecided();
    listener_stamp_ = state.listener_stamp;
    if (!started_) std::memcpy(old_.get(), new_.get(), sizeof(V) * old_.size());
    if (!started_) moved_.clear();
    if (relist || relist_) list_live();
    relist_ = relist;
    return true;
  }

  bool undecided() {
    listener_stamp_ = ~std::uint64_t(0);  // all gains anew at the next block
    return false;
  }

  bool place_points(const State& state, const int* which, int number) {
    D x = D{} + 1.0, y = {}, z = {};
    for (int i = 0; i < number; ++i) {
      const double* p = state.sources[which[i]].position;
      x[i] = p[0];
      y[i] = p[1];
      z[i] = p[2];
    }
    Seen<D> seen(state, law_, state.rotation, x, y, z);
    if (seen.at_the_head) return false;
    for (int i = 0; i < number; ++i) {
      const Source& source = state.sources[which[i]];
      if (source.directed) seen.direct(source.facing, source.omni, source.sharpness, i);
      seen.fade[i] *= source.gain;
      if (measures_) distances_[which[i]] = seen.d[i];
    }
    float* to[L];
    for (int i = 0; i < number; ++i) to[i] = gains(new_, which[i]);
    harmonics(weights_, order_, seen.x, seen.y, seen.z, seen.there, [&](int c, D value) {
      value *= seen.fade;
      for (int i = 0; i < number; ++i) to[i][c] = static_cast<float>(value[i]);
    });
    for (int i = 0; i < number; ++i) {
      const Source& source = state.sources[which[i]];
      if (!source.capped) continue;
      for (int n = 0; n <= order_; ++n)
        for (int c = n * n; c < (n + 1) * (n + 1); ++c) to[i][c] *= source.cap[n];
    }
    return true;
  }

  // A surface is summed in world axes, again only when it or the listener's place has changed, and turned with the head.
  bool place_surface(const State& state, int q, bool changed) {
    const Surface& surface = *state.sources[q].surface;
    if ((changed || walked_) && !sum_surface(state, q)) return false;
    if (!turned_) {
      turn_(state.rotation, order_);
      turned_ = true;
    }
    for (int row = q; row <= q + surface.parts; ++row) {
      turn_.apply(world_.get() + std::size_t(row) * channels_, gains(new_, row), order_);
      if (row == q) continue;
      moved_[row] = 1;
      if (sounds_[row])
        alive_[row] |= NOW;
      else
        alive_[row] &= static_cast<unsigned char>(~NOW);
    }
    return true;
  }

  // The mean over a surface, in phase: g = Σ w σ y(u). With parts, energy moves to their copies as it looks wider
  // (`split_gains` of encode/area.py): part j then has its own mean and the energy Σ w σ² on W, or what is left of it
  // where lobes of both signs cancel.
  bool sum_surface(const State& state, int q) {
    constexpr double WORLD[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const Source& source = state.sources[q];
    const Surface& surface = *source.surface;
    const int ranges = surface.parts ? surface.parts : 1;
    double all[MAX_CHANNELS] = {}, energies[MOST_PARTS], amplitudes[MOST_PARTS], middle[3] = {}, energy = 0;
    for (int part = 0; part < ranges; ++part) {
      D total[MAX_CHANNELS], size = {}, loud = {}, x = {}, y = {}, z = {};
      for (int c = 0; c < channels_; ++c) total[c] = D{};
      for (int i = surface.start[part]; i < surface.start[part + 1]; i += L) {
        Seen<D> seen(state, law_, WORLD, load<D>(surface.x + i), load<D>(surface.y + i), load<D>(surface.z + i));
        if (seen.at_the_head) return false;
        if (source.directed)
          for (int lane = 0; lane < L; ++lane) seen.direct(source.facing, source.omni, source.sharpness, lane);
        const D share = seen.fade * load<D>(surface.weight + i), power = share * seen.fade;
        for (int lane = 0; lane < L; ++lane) size[lane] += std::fabs(share[lane]);
        loud += power;
        x += power * seen.x;
        y += power * seen.y;
        z += power * seen.z;
        harmonics(weights_, order_, seen.x, seen.y, seen.z, seen.there,
                  [&](int c, D value) { total[c] += value * share; });
      }
      double* to = world_.get() + std::size_t(surface.parts ? q + 1 + part : q) * channels_;
      for (int c = 0; c < channels_; ++c) {
        const double one = across(total[c]);
        all[c] += one;
        to[c] = one * source.gain;
      }
      amplitudes[part] = across(size);
      energies[part] = across(loud);
      energy += energies[part];
      middle[0] += across(x);
      middle[1] += across(y);
      middle[2] += across(z);
    }
    if (surface.parts) split(source, q, all, energies, amplitudes, middle, energy);
    if (measures_) measure(state, surface, q);
    return true;
  }

  static double across(D v) {
    double sum = 0;
    for (int lane = 0; lane < L; ++lane) sum += v[lane];
    return sum;
  }

  void split(const Source& source, int q, const double* all, const double* energies, const double* amplitudes,
             const double* middle, double energy) {
    constexpr double NARROW = 20 * PI / 180, WIDE = 40 * PI / 180;
    const double length = std::sqrt(middle[0] * middle[0] + middle[1] * middle[1] + middle[2] * middle[2]);
    const double r = energy > 0 ? 2 * length / energy - 1 : 1;
    const double width = 2 * std::acos(r > 1 ? 1 : r < -1 ? -1 : r);
    double t = (width - NARROW) / (WIDE - NARROW);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    const double share = t * t * (3 - 2 * t);
    const double together = std::sqrt(1 - share) * source.gain;
    double* own = world_.get() + std::size_t(q) * channels_;
    for (int c = 0; c < channels_; ++c) own[c] = all[c] * together;
    for (int part = 0; part < source.surface->parts; ++part) {
      const int row = q + 1 + part;
      const double a = amplitudes[part], level = a != 0 ? std::sqrt(share * energies[part]) / a : 0;
      double* to = world_.get() + std::size_t(row) * channels_;
      for (int c = 0; c < channels_; ++c) to[c] *= level;
      sounds_[row] = level != 0;
    }
  }

  void measure(const State& state, const Surface& surface, int q) {
    const double distance = way_to(state, surface.centroid);
    for (int row = q; row <= q + surface.parts; ++row) distances_[row] = distance;
  }

  double way_to(const State& state, const double* p) const {
    const double d[3] = {p[0] - state.origin[0], p[1] - state.origin[1], p[2] - state.origin[2]};
    return std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + law_.near_m * law_.near_m);
  }

  void list_live() {
    int count = 0;
    bool same = true;
    for (int q = 0; q < count_; ++q) {
      if (!alive_[q]) continue;
      same = same && count < live_count_ && live_[count] == q;
      live_[count++] = q;
    }
    if (!same || count != live_count_) own_known_.clear();
    live_count_ = count;
    const int needed = (count + L - 1) / L;
    first_groups_ = needed <= first_most_ ? needed : 0;
  }

  // The block is made: what was new is now.
  void settle() {
    for (int j = 0; j < live_count_; ++j) {
      const int q = live_[j];
      if (!moved_[q]) continue;
      std::memcpy(static_cast<void*>(gains(old_, q)), gains(new_, q), sizeof(V) * groups_);
      alive_[q] = alive_[q] & NOW ? NOW | BEFORE : 0;
    }
    moved_.clear();
    if (bed_moved_) std::memcpy(bed_old_.get(), bed_new_.get(), sizeof(V) * bed_old_.size());
    bed_moved_ = false;
    started_ = true;
  }

  // ---- signals ---------------------------------------------------------------------------------------------------

  // The inputs as they arrive at the head: themselves, or delayed and filtered on the way.
  const float* bring(const float* in) {
    if (!travels_) return in;
    int j = 0;
    for (int q = 0; q < count_; ++q) {
      const float* from = in + std::size_t(q) * block_;
      if (j < live_count_ && live_[j] == q) {
        travel_.run(q, from, distances_[q]);
        ++j;
      } else {
        travel_.miss(q, from);
      }
    }
    return travel_.signal(0);
  }

  // What every degree hears of point sources within the reference distance.
  void approach(const State& state, const float* heard) {
    near_count_ = 0;
    if (!law_.near) return;
    int j = 0;
    for (int q = 0; q < count_; ++q) {
      const bool live = j < live_count_ && live_[j] == q;
      j += live;
      const Source& source = state.sources[q];
      const double now = distances_[q], before = before_[q] > 0 ? before_[q] : now;
      const bool point = live && !source.surface && !source.copy;
      near_[q] = point && near_field_.near(before, now);
      before_[q] = live ? now : 0;
      if (!near_[q]) {
        near_field_.leave(q);
        continue;
      }
      ++near_count_;
      near_field_.run(q, heard + std::size_t(q) * block_, before, now);
      for (int n = 0; n <= order_; ++n) {
        part(gains(old_, q), near_old_, q, n);
        part(gains(new_, q), near_new_, q, n);
      }
    }
  }

  // The gains of one degree alone.
  void part(const float* from, Aligned<V>& to, int q, int n) {
    float* at = reinterpret_cast<float*>(to.get() + (std::size_t(q) * (order_ + 1) + n) * groups_);
    std::memset(static_cast<void*>(at), 0, sizeof(V) * groups_);
    for (int c = n * n; c < (n + 1) * (n + 1); ++c) at[c] = from[c];
  }

  // The bed and what the room adds: fields in world axes, turned with the head.
  void play_bed(const State& state, const float* in) {
    if (state.bed_stamp != bed_stamp_) {
      bed_stamp_ = state.bed_stamp;
      bed_at_ = 0;
      bed_fresh_ = true;
    }
    const bool roomy = room_.any();
    const int order = state.bed ? (roomy && state.bed->order < 1 ? 1 : state.bed->order) : roomy ? 1 : -1;
    bed_channels_ = (order + 1) * (order + 1);
    if (bed_channels_ == 0) return;
    const int own = state.bed ? (state.bed->order + 1) * (state.bed->order + 1) : 0;
    if (own > 0) fill_bed(*state.bed, own);
    std::memset(bed_rows_.get() + std::size_t(own) * block_, 0, sizeof(float) * (bed_channels_ - own) * block_);
    if (roomy) room_.run(state, in, bed_rows_.get());
    if (!bed_fresh_ && bed_listener_ == state.listener_stamp) return;
    rotation_(state.rotation, order);
    for (int c = 0; c < bed_channels_; ++c) {
      float* column = gains(bed_new_, c);
      std::memset(static_cast<void*>(column), 0, sizeof(V) * groups_);
      for (int row = 0; row < bed_channels_; ++row) column[row] = static_cast<float>(rotation_.at(row, c));
    }
    bed_moved_ = true;
    if (bed_fresh_) std::memcpy(bed_old_.get(), bed_new_.get(), sizeof(V) * bed_old_.size());
    bed_fresh_ = false;
    bed_listener_ = state.listener_stamp;
  }

  void fill_bed(const Bed& bed, int channels) {
    std::int64_t at = bed_at_;
    for (int c = 0; c < channels; ++c) {
      const float* from = bed.samples + std::size_t(c) * bed.length;
      float* to = bed_rows_.get() + std::size_t(c) * block_;
      at = bed_at_;
      for (int done = 0; done < block_;) {
        std::int64_t run = bed.length - at;
        if (run > block_ - done) run = block_ - done;
        if (run > 0) std::memcpy(to + done, from + at, sizeof(float) * run);
        else std::memset(to + done, 0, sizeof(float) * (run = block_ - done));
        done += static_cast<int>(run);
        at = bed.loops ? (at + run) % bed.length : (at + run < bed.length ? at + run : bed.length);
      }
    }
    bed_at_ = at;
  }

  // ---- which way -------------------------------------------------------------------------------------------------

  bool moves(int group) const {
    for (int j = group * L; j < live_count_ && j < (group + 1) * L; ++j)
      if (moved_[live_[j]]) return true;
    return false;
  }

  // Costs in vector operations, roughly; both ways give the same result.
  Plan choose() {
    const double transform = transform_cost_, product = 8.0 * bins_ * parts_;
    const double combine = 5.0 * bins_ * parts_ * channels_;
    double first_still = 0, first_moving = 0;
    bool moving[MOST_GROUPS] = {};
    int still = 0, going = 0;
    for (int i = 0; i < first_groups_; ++i) {
      moving[i] = moves(i);
      const double learn = own_known_[i] ? 0 : combine;
      if (moving[i]) {
        first_moving += 2 * transform + combine + learn + 2 * product;
        ++going;
      } else {
        first_still += transform + learn / PATIENCE + product;
        ++still;
      }
    }
    const double base = groups_ * (transform + product), each = 1.25 * block_ * groups_ * L;  // `each` of L sources
    const bool must = bed_channels_ > 0 || near_count_ > 0 || (first_groups_ == 0 && live_count_ > 0);
    const double all_first = first_still + first_moving + (must ? base : 0);
    const double mixed = base + first_still + 2 * each * going;
    const double none = base + each * still + 2 * each * going;
    Plan plan;
    plan.channels = must;
    for (int i = 0; i < first_groups_; ++i) plan.first[i] = true;
    if (near_count_ > 0) {
      for (int i = 0; i < first_groups_; ++i) plan.first[i] = false;
      return plan;
    }
    if (all_first <= mixed && all_first <= none) return plan;
    plan.channels = true;
    for (int i = 0; i < first_groups_; ++i) plan.first[i] = mixed <= none && !moving[i];
    return plan;
  }

  // ---- channels first --------------------------------------------------------------------------------------------

  struct Input {
    const float* x;
    const V *gain, *next;
  };

  // field[t] = Σ (g + (g' - g)(t + 1)/B) x(t) for the channels of group g, and its spectrum
  void encode(int g, const float* heard, const Plan& plan) {
    int still = 0, moving = 0;
    Input* moving_inputs = inputs_.get() + inputs_size();
    for (int j = 0; j < live_count_; ++j) {
      if (first_groups_ && plan.first[j / L]) continue;
      const int q = live_[j];
      if (near_[q]) {
        for (int n = 0; n <= order_; ++n) {
          if ((g + 1) * L <= n * n || g * L >= (n + 1) * (n + 1)) continue;
          const std::size_t at = (std::size_t(q) * (order_ + 1) + n) * groups_ + g;
          add(inputs_.get(), moving_inputs, still, moving, near_field_.row(q, n), near_old_.get() + at, near_new_.get() + at,
              moved_[q]);
        }
        continue;
      }
      add(inputs_.get(), moving_inputs, still, moving, heard + std::size_t(q) * block_, old_.get() + std::size_t(q) * groups_ + g,
          new_.get() + std::size_t(q) * groups_ + g, moved_[q]);
    }
    for (int c = 0; c < bed_channels_; ++c) {
      int n = 0;
      while ((n + 1) * (n + 1) <= c) ++n;
      if ((g + 1) * L <= n * n || g * L >= (n + 1) * (n + 1)) continue;  // no channel of this degree here
      add(inputs_.get(), moving_inputs, still, moving, bed_rows_.get() + std::size_t(c) * block_,
          bed_old_.get() + std::size_t(c) * groups_ + g, bed_new_.get() + std::size_t(c) * groups_ + g, bed_moved_);
    }
    V *even = spectra_.even(), *odd = spectra_.odd();
    const float step = 1.0f / block_;
    int t = 0;
    for (; t + 4 <= block_; t += 4) {
      V a[4] = {};
      for (int j = 0; j < still; ++j) {
        const V gain = *inputs_[j].gain;
        const float* x = inputs_[j].x + t;
        for (int i = 0; i < 4; ++i) a[i] += gain * x[i];
      }
      if (moving) {
        V b[4] = {};
        for (int j = 1; j <= moving; ++j) {
          const V gain = *moving_inputs[-j].gain, change = *moving_inputs[-j].next - gain;
          const float* x = moving_inputs[-j].x + t;
          for (int i = 0; i < 4; ++i) {
            a[i] += gain * x[i];
            b[i] += change * x[i];
          }
        }
        for (int i = 0; i < 4; ++i) a[i] += b[i] * (step * (t + i + 1));
      }
      even[t / 2] = a[0];
      odd[t / 2] = a[1];
      even[t / 2 + 1] = a[2];
      odd[t / 2 + 1] = a[3];
    }
    for (; t < block_; ++t) {
      V a = {};
      for (int j = 0; j < still; ++j) a += *inputs_[j].gain * inputs_[j].x[t];
      for (int j = 1; j <= moving; ++j) {
        const Input& input = moving_inputs[-j];
        a += (*input.gain + (*input.next - *input.gain) * (step * (t + 1))) * input.x[t];
      }
      (t % 2 ? odd : even)[t / 2] = a;
    }
    clear_rest(block_);
    spectra_.run(spectrum_r_.get() + g, spectrum_i_.get() + g, groups_);
  }

  static void add(Input* from_front, Input* from_back, int& still, int& moving, const float* x, const V* gain,
                  const V* next, bool moved) {
    (moved ? from_back[-++moving] : from_front[still++]) = Input{x, gain, next};
  }

  // sums += Σ over lanes and groups of spectrum times filter, both ears, every partition
  void multiply(const V* xr, const V* xi, const V* hr, const V* hi, int groups) {
    for (int p = 0; p < parts_; ++p) {
      Quad* to = sum(p);
      for (int k = 0; k < bins_; ++k) {
        const V *r = xr + std::size_t(k) * groups, *i = xi + std::size_t(k) * groups;
        const std::size_t at = (std::size_t(p) * bins_ + k) * 2 * groups;
        const V *fr = hr + at, *fi = hi + at;
        V a = {}, b = {}, c = {}, d = {};
        for (int g = 0; g < groups; ++g) {
          a += r[g] * fr[g] - i[g] * fi[g];
          b += r[g] * fi[g] + i[g] * fr[g];
          c += r[g] * fr[groups + g] - i[g] * fi[groups + g];
          d += r[g] * fi[groups + g] + i[g] * fr[groups + g];
        }
        to[k] += totals(a, b, c, d);
      }
    }
  }

  // ---- filters first ---------------------------------------------------------------------------------------------

  void filter_first(int group, const float* heard) {
    const std::size_t size = filter_size(1);
    V *now_r = own_r_.get() + group * size, *now_i = own_i_.get() + group * size;
    const bool moving = moves(group);
    if (!own_known_[group]) combine(group, old_, now_r, now_i);
    own_known_[group] = 1;
    if (!moving) {
      gather(group, heard, false, false);
      spectra_.run(first_r_.get(), first_i_.get(), 1);
      multiply(first_r_.get(), first_i_.get(), now_r, now_i, 1);
      return;
    }
    gather(group, heard, true, true);  // x (1 - r) through the old filters
    spectra_.run(first_r_.get(), first_i_.get(), 1);
    multiply(first_r_.get(), first_i_.get(), now_r, now_i, 1);
    combine(group, new_, now_r, now_i);
    gather(group, heard, true, false);  // x r through the new ones
    spectra_.run(first_r_.get(), first_i_.get(), 1);
    multiply(first_r_.get(), first_i_.get(), now_r, now_i, 1);
  }

  // Filters of L sources, Σ_c g_c H_c, lanes are sources.
  void combine(int group, Aligned<V>& of, V* to_r, V* to_i) {
    for (int c = 0; c < channels_; ++c) {
      V v = {};
      for (int lane = 0; lane < L && group * L + lane < live_count_; ++lane) v[lane] = gains(of, live_[group * L + lane])[c];
      mix_[c] = v;
    }
    const float *hr = reinterpret_cast<const float*>(filters_r_.get()), *hi = reinterpret_cast<const float*>(filters_i_.get());
    const std::size_t rows = std::size_t(parts_) * bins_ * 2, width = std::size_t(groups_) * L;
    for (std::size_t row = 0; row < rows; row += 2) {
      const float *r0 = hr + row * width, *i0 = hi + row * width, *r1 = r0 + width, *i1 = i0 + width;
      V a = {}, b = {}, c = {}, d = {};
      for (int n = 0; n < channels_; ++n) {
        const V g = mix_[n];
        a += g * r0[n];
        b += g * i0[n];
        c += g * r1[n];
        d += g * i1[n];
      }
      to_r[row] = a;
      to_i[row] = b;
      to_r[row + 1] = c;
      to_i[row + 1] = d;
    }
  }

  // Blocks of L sources into the transform's input, lanes are sources; with a ramp, r or 1 - r.
  void gather(int group, const float* heard, bool ramp, bool falling) {
    const float* rows[L];
    for (int lane = 0; lane < L; ++lane) {
      const int j = group * L + lane;
      rows[lane] = j < live_count_ ? heard + std::size_t(live_[j]) * block_ : silence_.get();
    }
    V *even = spectra_.even(), *odd = spectra_.odd();
    const float step = 1.0f / block_;
    int t = 0;
    for (; t + 4 <= block_; t += 4) {
      V x[4];
      for (int part = 0; part < L / 4; ++part) {
        Quad a = load<Quad>(rows[4 * part] + t), b = load<Quad>(rows[4 * part + 1] + t);
        Quad c = load<Quad>(rows[4 * part + 2] + t), d = load<Quad>(rows[4 * part + 3] + t);
        transpose(a, b, c, d);
        const Quad of[4] = {a, b, c, d};
        for (int i = 0; i < 4; ++i) std::memcpy(reinterpret_cast<Quad*>(&x[i]) + part, &of[i], sizeof(Quad));
      }
      if (ramp)
        for (int i = 0; i < 4; ++i) {
          const float r = step * (t + i + 1);
          x[i] *= falling ? 1 - r : r;
        }
      even[t / 2] = x[0];
      odd[t / 2] = x[1];
      even[t / 2 + 1] = x[2];
      odd[t / 2 + 1] = x[3];
    }
    for (; t < block_; ++t) {
      V x = {};
      const float r = step * (t + 1);
      for (int lane = 0; lane < L; ++lane) x[lane] = rows[lane][t] * (ramp ? (falling ? 1 - r : r) : 1.0f);
      (t % 2 ? odd : even)[t / 2] = x;
    }
    clear_rest(block_);
  }

  int order_, channels_, groups_, block_, size_, bins_, parts_, count_;
  Law law_;
  HarmonicWeights weights_;
  FieldRotation rotation_;
  RealSpectra<V> spectra_;
  PairSignal pair_;
  Travel<L> travel_;
  Aligned<V> filters_r_, filters_i_, spectrum_r_, spectrum_i_;
  Aligned<Quad> sums_;
  Aligned<float> tail_;
  Aligned<V> old_, new_;
  Aligned<std::uint64_t> stamps_;
  Aligned<int> live_;
  Aligned<Input> inputs_;
  Aligned<unsigned char> moved_, alive_;
  Aligned<float> bed_rows_;
  Aligned<V> bed_old_, bed_new_;
  int first_most_;
  Aligned<V> own_r_, own_i_;
  Aligned<unsigned char> own_known_;
  Aligned<V> first_r_, first_i_, mix_;
  Aligned<float> silence_;
  bool travels_, measures_;
  Aligned<double> distances_;
  NearField<L> near_field_;
  Aligned<V> near_old_, near_new_;
  Aligned<double> world_;           // gains of surfaces and their copies, [source][channel]
  Aligned<unsigned char> sounds_;   // copies that are heard
  Aligned<unsigned char> near_;
  RoomField<L> room_;
  Aligned<double> before_;  // distance a block ago; 0: not heard then
  int near_count_ = 0;
  FieldRotation turn_;
  double origin_[3] = {0, 0, 0};
  bool walked_ = false, turned_ = false;
  double transform_cost_ = 0;
  int live_count_ = 0, first_groups_ = 0, newest_ = 0, bed_channels_ = 0;
  std::uint64_t listener_stamp_ = 0, bed_stamp_ = 0, bed_listener_ = 0;
  std::int64_t bed_at_ = 0;
  bool started_ = false, relist_ = true, bed_moved_ = false, bed_fresh_ = true;
};
