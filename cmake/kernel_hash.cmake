# Writes OUTPUT, a header with a hash of the sources under SOURCE_DIR that decide how fast kernels are. Run as a script
# when one of them is newer; the header changes only when the hash does.
cmake_minimum_required(VERSION 3.25)
file(GLOB_RECURSE sources RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/cpu/*" "${SOURCE_DIR}/cuda/*" "${SOURCE_DIR}/common/core/*")
list(SORT sources)
set(all "")
foreach(source IN LISTS sources)
  file(SHA256 "${SOURCE_DIR}/${source}" hash)
  string(APPEND all "${source} ${hash}\n")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING "${hash}" 0 16 hash)
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#pragma once\ninline constexpr const char* kKernelHash = \"@hash@\";\n" @ONLY)
