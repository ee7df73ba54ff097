// libspatialaudio 0.3 (the Ambisonics engine of VLC) as a worker of bench/realtime.py: the words and answers are those
// of realtime_serve.py. Usage: realtime_spatialaudio FOLDER HRTF.sofa RATE_HZ
//   FOLDER: angles.f64 and signal.f32 of realtime_scene.py; RATE_HZ: at which the HRTF is read (fewer taps if lower).
#include <spatialaudio/AmbisonicBinauralizer.h>
#include <spatialaudio/AmbisonicProcessor.h>
#include <spatialaudio/Ambisonics.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int BLOCK = 256, SOURCES = 8, POSES = 720, SIGNAL_BLOCKS = 64, COLUMNS = 3 + 2 * SOURCES;

template <class T>
std::vector<T> read(const std::string& path, std::size_t count) {
  std::vector<T> values(count);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(T)));
  if (!file) {
    std::fprintf(stderr, "%s: expected %zu numbers\n", path.c_str(), count);
    std::exit(1);
  }
  return values;
}

struct Scene {
  std::vector<double> angles;  // [POSES, COLUMNS]: yaw, pitch, roll, then azimuth and elevation of every source
  std::vector<float> signal;   // [SIGNAL_BLOCKS, SOURCES, BLOCK]
};

// Encode, rotate, decode: one block after the other, as its README does.
class Stream {
 public:
  Stream(int order, unsigned hrtf_rate_hz, const std::string& hrtf, int sources) : encoders_(sources), sources_(sources) {
    for (auto& encoder : encoders_) encoder.Configure(order, true, 0);
    rotator_.Configure(order, true, BLOCK, 0);
    if (!ears_.Configure(order, true, hrtf_rate_hz, BLOCK, taps, hrtf)) {
      std::fprintf(stderr, "libspatialaudio cannot use the HRTF %s\n", hrtf.c_str());
      std::exit(1);
    }
    field_.Configure(order, true, BLOCK);
    one_.Configure(order, true, BLOCK);
  }

  void place(const double* pose) {
    for (int q = 0; q < sources_; ++q) {
      const PolarPoint point{static_cast<float>(pose[3 + 2 * q]), static_cast<float>(pose[4 + 2 * q]), 1.f};
      encoders_[q].SetPosition(point);
      encoders_[q].Refresh();
    }
    // Its pitch turns the other way about y.
    rotator_.SetOrientation(
        Orientation(static_cast<float>(pose[0]), -static_cast<float>(pose[1]), static_cast<float>(pose[2])));
    rotator_.Refresh();
  }

  void process(float* input, float** output) {  // input [SOURCES, BLOCK]
    encoders_[0].Process(input, BLOCK, &field_);
    for (int q = 1; q < sources_; ++q) {
      encoders_[q].Process(input + q * BLOCK, BLOCK, &one_);
      field_ += one_;
    }
    rotator_.Process(&field_, BLOCK);
    ears_.Process(&field_, output);
  }

  unsigned taps = 0;
  std::int64_t next = 0;

 private:
  std::vector<CAmbisonicEncoder> encoders_;
  CAmbisonicProcessor rotator_;
  CAmbisonicBinauralizer ears_;
  CBFormat field_, one_;
  int sources_;
};

void print(const char* name, const std::vector<float>& left, const std::vector<float>& right, std::FILE* out) {
  std::fprintf(out, "\"%s\": [[", name);
  for (std::size_t t = 0; t < left.size(); ++t) std::fprintf(out, t ? ", %.9g" : "%.9g", left[t]);
  std::fprintf(out, "], [");
  for (std::size_t t = 0; t < right.size(); ++t) std::fprintf(out, t ? ", %.9g" : "%.9g", right[t]);
  std::fprintf(out, "]]");
}

struct Worker {
  Scene scene;
  std::string hrtf;
  unsigned hrtf_rate_hz;
  std::FILE* out;
  std::map<std::pair<std::string, int>, std::unique_ptr<Stream>> streams;

  void run(const std::string& name, int order, int warm, int blocks) {
    auto& stream = streams[{name, order}];
    if (!stream) {
      stream = std::make_unique<Stream>(order, hrtf_rate_hz, hrtf, name == "single" ? 1 : SOURCES);
      stream->place(scene.angles.data());
    }
    std::vector<float> left(BLOCK), right(BLOCK);
    float* ears[2] = {left.data(), right.data()};
    std::vector<long long> taken;
    taken.reserve(blocks);
    for (int k = -warm; k < blocks; ++k) {
      const std::int64_t i = stream->next++;
      const double* pose = &scene.angles[(i % POSES) * COLUMNS];
      float* input = &scene.signal[(i % SIGNAL_BLOCKS) * SOURCES * BLOCK];
      const auto begin = std::chrono::steady_clock::now();
      if (name != "static") stream->place(pose);
      stream->process(input, ears);
      const auto took = std::chrono::steady_clock::now() - begin;
      if (k >= 0) taken.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
    }
    std::fprintf(out, "{\"ns\": [");
    for (std::size_t k = 0; k < taken.size(); ++k) std::fprintf(out, k ? ", %lld" : "%lld", taken[k]);
    std::fprintf(out, "]}\n");
  }

  // Straight ahead, head level; the reference is the HRTF of that direction alone: a delay to within a few samples.
  void impulse(int order) {
    constexpr int blocks = 8;
    Stream stream(order, hrtf_rate_hz, hrtf, 1);
    const std::vector<double> ahead(COLUMNS, 0.0);
    stream.place(ahead.data());
    std::vector<float> left(blocks * BLOCK), right(blocks * BLOCK), input(BLOCK);
    for (int k = 0; k < blocks; ++k) {
      input[0] = k == 0 ? 1.f : 0.f;
      float* ears[2] = {&left[k * BLOCK], &right[k * BLOCK]};
      stream.process(input.data(), ears);
    }
    SOFA_HRTF measured(hrtf, hrtf_rate_hz);
    std::vector<float> ahead_left(stream.taps), ahead_right(stream.taps);
    float* pair[2] = {ahead_left.data(), ahead_right.data()};
    measured.get(0, 0, pair);
    std::fprintf(out, "{");
    print("response", left, right, out);
    std::fprintf(out, ", ");
    print("reference", ahead_left, ahead_right, out);
    std::fprintf(out, ", \"exact\": false}\n");
  }
};

}  // namespace

int main(int count, char** words) {
  if (count != 4) return 2;
  std::FILE* out = fdopen(dup(1), "w");
  dup2(2, 1);  // what the library prints is no answer
  const std::string folder = words[1];
  Worker worker{{read<double>(folder + "/angles.f64", POSES * COLUMNS),
                 read<float>(folder + "/signal.f32", SIGNAL_BLOCKS * SOURCES * BLOCK)},
                words[2],
                static_cast<unsigned>(std::stoul(words[3])),
                out,
                {}};
  const unsigned taps = Stream(1, worker.hrtf_rate_hz, worker.hrtf, 1).taps;
  std::fprintf(out,
               "{\"version\": \"0.3.0\", \"orders\": [1, 3], \"scenes\": [\"moving\", \"static\", \"single\"], "
               "\"differs\": \"C++ as Debian compiles it (SSE2); no levels or distances, no ramps; filters of 8 or 20 "
               "virtual speakers, one ear mirrored, %u taps%s; shelf filters "
               "in its rotator\"}\n",
               taps, taps > 2 * BLOCK - 1 ? " of which 511 are heard (its overlap ends there)" : "");
  std::fflush(out);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream said(line);
    std::string word, scene;
    int order = 0, warm = 0, blocks = 0;
    said >> word;
    if (word == "run" && said >> scene >> order >> warm >> blocks) worker.run(scene, order, warm, blocks);
    if (word == "impulse" && said >> order) worker.impulse(order);
    std::fflush(out);
  }
}
