// The engine as a Python class. Arrays come as float64 or float32, C-contiguous; shapes are checked by the caller's
// annotations and here. The GIL is released while a block is made.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>

#include "control.hpp"
#include "dispatch.hpp"

namespace nb = nanobind;

namespace {

template <class T, class... Shape>
using Array = nb::ndarray<const T, nb::shape<Shape::value...>, nb::c_contig, nb::device::cpu>;
template <nb::ssize_t n>
using Size = std::integral_constant<nb::ssize_t, n>;
using Any = Size<-1>;
using Vector = Array<double, Any>;
using Matrix = Array<double, Any, Any>;
using Points = Array<double, Any, Size<3>>;
using Triple = Array<double, Size<3>>;
using Taps = Array<float, Size<2>, Any, Any>;
using Labels = Array<std::int32_t, Any>;
using Table = Array<float, Any, Any>;
using Flat = Array<float, Any>;

class Kernel {
 public:
  Kernel(int order, int block, int sources, const Taps& filters, const Vector& law, std::optional<Table> table,
         std::optional<Table> air, std::optional<Vector> ways_m, std::optional<Matrix> roots,
         std::optional<Vector> near, std::optional<Points> normals, std::optional<Vector> offsets,
         std::optional<Table> wall_filters, std::optional<Table> late, std::optional<Flat> sends,
         std::optional<Table> branches, double longest_m, int lanes)
      : control_(sources), block_(block), sources_(sources) {
    sonoworld::Setup setup{order, block, sources, filters.data(), static_cast<int>(filters.shape(2)), {}, nullptr};
    const int channels = (order + 1) * (order + 1);
    if (order < 1 || order > sonoworld::MAX_ORDER || static_cast<int>(filters.shape(1)) != channels || law.shape(0) != 6)
      throw nb::value_error("kernel: sizes of order, filters or law do not agree");
    if (table && table->shape(1) != sonoworld::DELAY_TAPS) throw nb::value_error("kernel: delay table is not [n, 16]");
    if (air && (!ways_m || ways_m->shape(0) != air->shape(0) || air->shape(0) < 2))
      throw nb::value_error("kernel: air filters and their ways do not agree");
    const double* v = law.data();
    setup.law = {v[0], v[1], v[2], v[3], v[4], v[5] != 0, nullptr, 0, nullptr, nullptr, 0, 0, false, 0, 0, 0, nullptr, 0};
    if (roots && near) {
      int needed = 0;
      for (int n = 1; n <= order; ++n) needed += (n + 1) / 2;
      if (static_cast<int>(roots->shape(0)) != needed || roots->shape(1) != 2 || near->shape(0) != 3)
        throw nb::value_error("kernel: roots or distances of the near field do not agree with the order");
      setup.law.near = true;
      setup.law.reference_m = near->data()[0];
      setup.law.nearest_m = near->data()[1];
      setup.law.most_boost_db = near->data()[2];
      setup.law.roots = roots->data();
      setup.law.root_count = needed;
    }
    if (setup.law.delay) {
      if (!table) throw nb::value_error("kernel: delay needs its table");
      setup.law.table = table->data();
      setup.law.phases = static_cast<int>(table->shape(0)) - 1;
    }
    if (air) {
      setup.law.air = air->data();
      setup.law.ways_m = ways_m->data();
      setup.law.ways = static_cast<int>(air->shape(0));
      setup.law.air_taps = static_cast<int>(air->shape(1));
    }
    sonoworld::RoomSetup room{};
    if (sends) {
      if (!normals || !offsets || !wall_filters || !branches)
        throw nb::value_error("kernel: a room needs walls, filters and branches");
      room.walls = static_cast<int>(normals->shape(0));
      const bool agree = static_cast<int>(offsets->shape(0)) == room.walls &&
                         static_cast<int>(wall_filters->shape(0)) == room.walls && wall_filters->shape(1) == 10 &&
                         branches->shape(0) == 5 && branches->shape(1) == sonoworld::DELAY_TAPS &&
                         static_cast<int>(sends->shape(0)) == sources && (!late || late->shape(0) == 4) &&
                         longest_m > 0 && longest_m < 1000;
      if (!agree) throw nb::value_error("kernel: sizes of the room do not agree");
      room.normals = normals->data();
      room.offsets = offsets->data();
      room.filters = wall_filters->data();
      room.late = late ? late->data() : nullptr;
      room.late_taps = late ? static_cast<int>(late->shape(1)) : 0;
      room.sends = sends->data();
      room.branches = branches->data();
      room.longest_m = longest_m;
      setup.room = &room;
    }
    renderer_ = sonoworld::make_renderer(setup, lanes, chosen_);
    if (!renderer_) throw nb::value_error("kernel: no executor of this width runs on this machine");
  }

  bool place(int i, const Triple& position, double gain, std::optional<nb::ndarray<const float, nb::ndim<1>, nb::c_contig>> cap,
             std::optional<Triple> facing, double omni, double sharpness) {
    const double nowhere[3] = {0, 0, 0};
    if (!control_.place(i, position.data(), gain)) return false;
    if (cap && !control_.cap(i, cap->data(), static_cast<int>(cap->shape(0)))) return false;
    if (!control_.direct(i, facing ? facing->data() : nowhere, facing ? omni : 0, sharpness)) return false;
    control_.publish();
    return true;
  }

  bool place_surface(int i, const Points& points, const Vector& weights, std::optional<Labels> labels, double gain,
                     std::optional<Triple> facing, double omni, double sharpness) {
    const double nowhere[3] = {0, 0, 0};
    const std::size_t count = points.shape(0);
    if (weights.shape(0) != count || (labels && labels->shape(0) != count)) return false;
    const std::int32_t* parts = labels ? labels->data() : nullptr;
    if (!control_.surface(i, points.data(), weights.data(), parts, static_cast<int>(count), gain)) return false;
    if (!control_.direct(i, facing ? facing->data() : nowhere, facing ? omni : 0, sharpness)) return false;
    control_.publish();
    return true;
  }

  bool remove(int i) {
    const bool done = control_.remove(i);
    control_.publish();
    return done;
  }

  // positions [q 3] m, level_db [q]: dB SPL at 1 m of an input of RMS 1, which 100 dB leave as it is
  bool move(const Points& positions, const Vector& level_db) {
    const std::size_t count = positions.shape(0);
    if (level_db.shape(0) != count || count > static_cast<std::size_t>(sources_)) return false;
    gains_.resize(sources_);
    for (std::size_t i = 0; i < count; ++i) gains_[i] = std::exp((level_db.data()[i] - 100) * 0.11512925464970229);
    if (!control_.move(static_cast<int>(count), positions.data(), gains_.data())) return false;
    control_.publish();
    return true;
  }

  // world_from_head = Rz(yaw) Ry(-pitch) Rx(roll)
  bool listener(const Triple& position, double yaw, double pitch, double roll) {
    const double cy = std::cos(yaw), sy = std::sin(yaw), cp = std::cos(pitch), sp = std::sin(pitch);
    const double cr = std::cos(roll), sr = std::sin(roll);
    const double rotation[9] = {cy * cp, -sy * cr - cy * sp * sr, sy * sr - cy * sp * cr,
                                sy * cp, cy * cr - sy * sp * sr,  -cy * sr - sy * sp * cr,
                                sp,      cp * sr,                 cp * cr};
    if (!control_.listener(rotation, position.data())) return false;
    control_.publish();
    return true;
  }

  bool bed(std::optional<Table> signal, int order, bool loops) {
    const bool done = control_.bed(signal ? signal->data() : nullptr, order,
                                   signal ? static_cast<std::int64_t>(signal->shape(1)) : 0, loops);
    control_.publish();
    return done;
  }

  int process(const nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& in,
              const nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& out) {
    if (static_cast<int>(in.shape(0)) != sources_ || static_cast<int>(in.shape(1)) != block_) return -1;
    if (out.shape(0) != 2 || static_cast<int>(out.shape(1)) != block_) return -1;
    nb::gil_scoped_release released;
    return static_cast<int>(renderer_->process(control_.take(), in.data(), out.data()));
  }

  std::string set() const { return chosen_.set; }
  int lanes() const { return chosen_.lanes; }

 private:
  sonoworld::Control control_;
  std::unique_ptr<sonoworld::Renderer> renderer_;
  sonoworld::Choice chosen_{"", 0};
  std::vector<double> gains_;
  int block_, sources_;
};

std::vector<std::pair<std::string, int>> widths() {
  std::vector<std::pair<std::string, int>> found;
  for (const sonoworld::Choice* one = sonoworld::widths(); one->lanes; ++one) found.emplace_back(one->set, one->lanes);
  return found;
}

}  // namespace

NB_MODULE(kernel, m) {
  m.doc() = "The audio kernel: see sonoworld.render.engine, which checks what goes in.";
  m.def("widths", &widths, "Instruction sets and lanes that run on this machine.");
  nb::class_<Kernel>(m, "Kernel")
      .def(nb::init<int, int, int, const Taps&, const Vector&, std::optional<Table>, std::optional<Table>,
                    std::optional<Vector>, std::optional<Matrix>, std::optional<Vector>, std::optional<Points>,
                    std::optional<Vector>, std::optional<Table>, std::optional<Table>, std::optional<Flat>,
                    std::optional<Table>, double, int>(),
           nb::arg("order"), nb::arg("block"), nb::arg("sources"), nb::arg("filters"), nb::arg("law"),
           nb::arg("table") = nb::none(), nb::arg("air") = nb::none(), nb::arg("ways_m") = nb::none(),
           nb::arg("roots") = nb::none(), nb::arg("near") = nb::none(), nb::arg("normals") = nb::none(),
           nb::arg("offsets") = nb::none(), nb::arg("wall_filters") = nb::none(), nb::arg("late") = nb::none(),
           nb::arg("sends") = nb::none(), nb::arg("branches") = nb::none(), nb::arg("longest_m") = 60.0,
           nb::arg("lanes") = 0)
      .def("place", &Kernel::place, nb::arg("i"), nb::arg("position"), nb::arg("gain"), nb::arg("cap") = nb::none(),
           nb::arg("facing") = nb::none(), nb::arg("omni") = 0.0, nb::arg("sharpness") = 1.0)
      .def("place_surface", &Kernel::place_surface, nb::arg("i"), nb::arg("points"), nb::arg("weights"), nb::arg("labels").none(),
           nb::arg("gain"),           nb::arg("facing") = nb::none(), nb::arg("omni") = 0.0, nb::arg("sharpness") = 1.0)
      .def("remove", &Kernel::remove)
      .def("move", &Kernel::move)
      .def("listener", &Kernel::listener)
      .def("bed", &Kernel::bed, nb::arg("signal").none(), nb::arg("order"), nb::arg("loops"))
      .def("process", &Kernel::process)
      .def_prop_ro("set", &Kernel::set)
      .def_prop_ro("lanes", &Kernel::lanes);
}
