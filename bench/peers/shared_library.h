// A library that may be there.
#pragma once

#include <dlfcn.h>

#include <initializer_list>
#include <string>

namespace tandem::peers {

class SharedLibrary {
 public:
  /// The first of these names that the system finds. It stays loaded: libraries with threads do not like to leave.
  explicit SharedLibrary(std::initializer_list<const char*> names) {
    std::string tried;
    for (const char* name : names) {
      handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (handle_) return;
      tried += (tried.empty() ? "" : ", ") + std::string(name);
    }
    missing_ = "not installed: no " + tried;
  }

  /// A function of that name, in the library or in one that it uses. Without one the library is of no use.
  template <class Function>
  void take(Function*& function, const char* name) {
    if (!missing_.empty()) return;
    function = reinterpret_cast<Function*>(dlsym(handle_, name));
    if (!function) missing_ = std::string("the library that was found has no ") + name;
  }

  /// Whether there is such a function.
  bool has(const char* name) const { return missing_.empty() && dlsym(handle_, name) != nullptr; }

  /// Why it cannot be used; empty: it can.
  const std::string& missing() const { return missing_; }

 private:
  void* handle_ = nullptr;
  std::string missing_;
};

}  // namespace tandem::peers
