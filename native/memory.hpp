// Memory aligned for the widest vectors, zeroed, freed with its owner. Included inside a namespace of its own per
// instruction set, so that no two builds of it are ever mixed up by the linker.
template <class T>
class Aligned {
 public:
  Aligned() = default;
  explicit Aligned(std::size_t count) : bytes_(new unsigned char[count * sizeof(T) + 64]()), count_(count) {
    data_ = reinterpret_cast<T*>((reinterpret_cast<std::uintptr_t>(bytes_) + 63) / 64 * 64);
  }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  ~Aligned() { delete[] bytes_; }

  T* get() { return data_; }
  const T* get() const { return data_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  std::size_t size() const { return count_; }
  void clear() { std::memset(static_cast<void*>(data_), 0, count_ * sizeof(T)); }

 private:
  unsigned char* bytes_ = nullptr;
  T* data_ = nullptr;
  std::size_t count_ = 0;
};
