// The GPU side of a build without a CUDA toolkit: no device, and the reason.
#include <string>

#include <tandem/error.h>

#include "common/core/device_api.h"

namespace tandem::gpu {
namespace {

constexpr const char* kReason = "this library was built without CUDA";

[[noreturn]] void refuse(const char* what) { throw Error(Code::unavailable, std::string(what) + ": " + kReason); }

}  // namespace

Devices query() noexcept { return {{}, kReason}; }
void measure(int, int, Ceilings&) {}
void measure_copies(int, int, Ceilings&) {}

struct Stream::State {};
Stream::Stream(int device) : device_(device) { refuse("stream"); }
Stream::~Stream() = default;
void* Stream::to_launch_on(const char* what) { refuse(what); }
void* Stream::allocate(std::size_t, const char* what) { refuse(what); }
void Stream::release(void*) noexcept {}
void Stream::upload(void*, const void*, std::size_t, const char* what) { refuse(what); }
void Stream::download(void*, const void*, std::size_t, const char* what) { refuse(what); }
void Stream::copy(void*, const void*, std::size_t, const char* what) { refuse(what); }
void Stream::synchronize(const char* what) { refuse(what); }
void Stream::check(const char* what) { refuse(what); }

Marks::Marks(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
Marks::~Marks() = default;
int Marks::add() noexcept { return -1; }
std::vector<double> Marks::resolve() noexcept { return {}; }

void push_range(const char*) noexcept {}
void pop_range() noexcept {}

}  // namespace tandem::gpu
