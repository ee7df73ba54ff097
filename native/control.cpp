#include "control.hpp"

#include <cmath>
#include <cstring>

namespace sonoworld {
namespace {

bool finite(const double* values, std::int64_t count) {
  double sum = 0;  // NaN and infinities stay in a sum of zeros
  for (std::int64_t i = 0; i < count; ++i) sum += values[i] * 0.0;
  return sum == 0.0;
}

}  // namespace

Control::Control(int sources) : sources_(sources), surfaces_(sources) {
  for (Source& source : sources_) {
    source = Source{};
    source.sharpness = 1;
    for (float& factor : source.cap) factor = 1;
  }
  const double identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  std::memcpy(state_.rotation, identity, sizeof identity);
  for (Copy& copy : copies_) {
    copy.sources = sources_;
    copy.surfaces.resize(sources);
    copy.state = state_;
    copy.state.sources = copy.sources.data();
  }
}

void Control::touch(int i) {
  sources_[i].stamp = ++stamp_;
  for (Copy& copy : copies_) {
    if (copy.last_stale < copy.first_stale) copy.first_stale = copy.last_stale = i;
    if (i < copy.first_stale) copy.first_stale = i;
    if (i > copy.last_stale) copy.last_stale = i;
  }
}

// The surface of source i is no more: nor are its copies.
void Control::drop_copies(int i) {
  const int parts = sources_[i].surface ? sources_[i].surface->parts : 0;
  for (int j = 1; j <= parts; ++j) {
    sources_[i + j].copy = sources_[i + j].placed = false;
    touch(i + j);
  }
}

bool Control::place(int i, const double* position, double gain) {
  if (!owns(i) || !finite(position, 3) || !std::isfinite(gain)) return false;
  drop_copies(i);
  Source& source = sources_[i];
  std::memcpy(source.position, position, sizeof source.position);
  source.gain = gain;
  source.placed = true;
  source.capped = false;
  source.surface = nullptr;
  surfaces_[i].reset();
  touch(i);
  return true;
}

bool Control::cap(int i, const float* factors, int count) {
  if (!owns(i) || count < 0 || count > MAX_ORDER + 1) return false;
  Source& source = sources_[i];
  source.capped = factors != nullptr;
  for (int n = 0; n < count && factors; ++n) source.cap[n] = factors[n];
  touch(i);
  return true;
}

bool Control::surface(int i, const double* points, const double* weights, const std::int32_t* labels, int count,
                      double gain) {
  if (!owns(i) || count < 1 || !std::isfinite(gain) || !finite(points, 3 * std::int64_t(count)) || !finite(weights, count)) return false;
  int parts = 0, sizes[MOST_PARTS] = {};
  for (int j = 0; j < count; ++j) {
    const int label = labels ? labels[j] : 0;
    if (label < 0 || label >= MOST_PARTS) return false;
    ++sizes[label];
    if (labels && label >= parts) parts = label + 1;
  }
  const int own = sources_[i].surface ? sources_[i].surface->parts : 0;
  for (int part = 0; part < parts; ++part) {
    const int row = i + part + 1;
    if (sizes[part] == 0 || row >= sources() || (sources_[row].placed && part >= own)) return false;
  }
  auto owned = std::make_shared<OwnedSurface>();
  Surface& view = owned->view;
  view.parts = parts;
  for (int part = 0; part < (parts ? parts : 1); ++part)
    view.start[part + 1] = view.start[part] + (sizes[part] + WIDEST - 1) / WIDEST * WIDEST;
  const int padded = view.start[parts ? parts : 1];
  owned->values.assign(4 * std::size_t(padded), 0.0);
  double* at = owned->values.data();
  for (int j = 0; j < padded; ++j) at[j] = 1;  // what fills up stands at (1, 0, 0)
  int next[MOST_PARTS];
  for (int part = 0; part < MOST_PARTS; ++part) next[part] = part < (parts ? parts : 1) ? view.start[part] : 0;
  double total = 0;
  for (int j = 0; j < count; ++j) {
    const int to = next[labels ? labels[j] : 0]++;
    for (int axis = 0; axis < 3; ++axis) at[axis * padded + to] = points[3 * j + axis];
    at[3 * padded + to] = weights[j];
    total += weights[j];
    for (int axis = 0; axis < 3; ++axis) view.centroid[axis] += weights[j] * points[3 * j + axis];
  }
  for (double& value : view.centroid) value /= total > 0 ? total : 1;
  view.x = at;
  view.y = at + padded;
  view.z = at + 2 * padded;
  view.weight = at + 3 * padded;
  drop_copies(i);
  Source& source = sources_[i];
  std::memcpy(source.position, view.centroid, sizeof source.position);
  source.gain = gain;
  source.placed = true;
  source.capped = false;
  source.surface = &view;
  surfaces_[i] = std::move(owned);
  for (int j = 1; j <= parts; ++j) {
    Source& copy = sources_[i + j];
    copy.surface = nullptr;
    surfaces_[i + j].reset();
    copy.copy = copy.placed = true;
    touch(i + j);
  }
  touch(i);
  return true;
}

bool Control::direct(int i, const double* facing, double omni, double sharpness) {
  const bool fits = omni >= 0 && omni <= 1 && sharpness >= 1 && std::isfinite(sharpness);
  if (!owns(i) || !fits || !finite(facing, 3)) return false;
  std::memcpy(sources_[i].facing, facing, sizeof sources_[i].facing);
  sources_[i].omni = omni;
  sources_[i].sharpness = sharpness;
  sources_[i].directed = omni > 0;
  touch(i);
  return true;
}

bool Control::remove(int i) {
  if (!owns(i)) return false;
  drop_copies(i);
  sources_[i].surface = nullptr;
  surfaces_[i].reset();
  sources_[i].placed = false;
  touch(i);
  return true;
}

bool Control::move(int count, const double* positions, const double* gains) {
  if (count < 0 || count > sources() || !finite(positions, 3 * std::int64_t(count)) || !finite(gains, count)) return false;
  for (int i = 0; i < count; ++i)
    if (sources_[i].surface) drop_copies(i);
  for (int i = 0; i < count; ++i) {
    Source& source = sources_[i];
    std::memcpy(source.position, positions + 3 * i, sizeof source.position);
    source.gain = gains[i];
    source.placed = true;
    source.copy = false;
    if (source.surface) {
      source.surface = nullptr;
      surfaces_[i].reset();
    }
    source.stamp = ++stamp_;
  }
  if (count > 0) {
    touch(0);
    touch(count - 1);
  }
  return true;
}

bool Control::listener(const double* rotation, const double* origin) {
  if (!finite(rotation, 9) || !finite(origin, 3)) return false;
  std::memcpy(state_.rotation, rotation, sizeof state_.rotation);
  std::memcpy(state_.origin, origin, sizeof state_.origin);
  state_.listener_stamp = ++stamp_;
  return true;
}

bool Control::bed(const float* samples, int order, std::int64_t length, bool loops) {
  if (samples == nullptr) {
    bed_.reset();
  } else {
    if (order < 0 || order > MAX_ORDER || length < 1) return false;
    auto owned = std::make_shared<OwnedBed>();
    owned->samples.assign(samples, samples + std::size_t(order + 1) * (order + 1) * length);
    owned->view = {owned->samples.data(), order, length, loops};
    bed_ = std::move(owned);
  }
  state_.bed = bed_ ? &bed_->view : nullptr;
  state_.bed_stamp = ++stamp_;
  return true;
}

void Control::publish() {
  Copy& copy = copies_[back_];
  for (int i = copy.first_stale; i <= copy.last_stale; ++i) {
    copy.sources[i] = sources_[i];
    if (copy.surfaces[i] != surfaces_[i]) copy.surfaces[i] = surfaces_[i];
  }
  copy.first_stale = 0;
  copy.last_stale = -1;
  if (copy.bed != bed_) copy.bed = bed_;
  const Source* own = copy.sources.data();
  copy.state = state_;
  copy.state.sources = own;
  back_ = middle_.exchange(back_ | FRESH, std::memory_order_acq_rel) & 3;
}

const State& Control::take() {
  if (middle_.load(std::memory_order_acquire) & FRESH)
    front_ = middle_.exchange(front_, std::memory_order_acq_rel) & 3;
  return copies_[front_].state;
}

}  // namespace sonoworld
