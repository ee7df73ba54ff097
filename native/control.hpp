// The side that is called from outside: keeps what was set, and publishes it to the audio thread without a lock.
//
// Three copies of the state go round (a triple buffer): one is written, one waits, one is read. Publishing and taking
// are one atomic exchange each, so neither side ever waits. What a copy points to (surfaces, beds) is released by the
// writing side only, when the copy comes back to it. One thread may set and another may process; two setters at once
// need a lock of their own (Python's does).
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "state.hpp"

namespace sonoworld {

class Control {
 public:
  explicit Control(int sources);

  int sources() const { return static_cast<int>(sources_.size()); }

  // Setters return false, and change nothing, where an index or a number is out of range or not finite.
  bool place(int i, const double* position, double gain);
  bool cap(int i, const float* factors, int count);  // null: a point
  // points [count][3], weights [count]; labels [count] 0 .. parts - 1 or null: see `Surface`. The rows of the parts'
  // copies must be free.
  bool surface(int i, const double* points, const double* weights, const std::int32_t* labels, int count,
               double gain);
  bool direct(int i, const double* facing, double omni, double sharpness);       // omni 0: alike to all sides
  bool remove(int i);
  bool move(int count, const double* positions, const double* gains);  // the first `count`; surfaces become points
  bool listener(const double* rotation, const double* origin);
  bool bed(const float* samples, int order, std::int64_t length, bool loops);  // null: none

  void publish();
  // The newest published state; for the audio thread.
  const State& take();

 private:
  struct OwnedSurface {
    std::vector<double> values;
    Surface view{};
  };
  struct OwnedBed {
    std::vector<float> samples;
    Bed view{};
  };
  struct Copy {
    State state{};
    std::vector<Source> sources;
    std::vector<std::shared_ptr<const OwnedSurface>> surfaces;
    std::shared_ptr<const OwnedBed> bed;
    int first_stale = 0, last_stale = -1;  // sources that changed since this copy was written
  };

  void touch(int i);
  bool owns(int i) const { return i >= 0 && i < sources() && !sources_[i].copy; }
  void drop_copies(int i);
  static constexpr int FRESH = 4;

  std::vector<Source> sources_;
  std::vector<std::shared_ptr<const OwnedSurface>> surfaces_;
  std::shared_ptr<const OwnedBed> bed_;
  State state_{};
  std::uint64_t stamp_ = 0;
  Copy copies_[3];
  int back_ = 0, front_ = 2;
  std::atomic<int> middle_{1};
};

}  // namespace sonoworld
