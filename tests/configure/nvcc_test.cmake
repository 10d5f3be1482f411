# What cmake/cuda.cmake does about an nvcc that it cannot use: by itself it builds for the CPU alone and warns; where
# CUDA is required it stops. Needs no CUDA.
function(fake_nvcc name version)
  file(WRITE "${WORK_DIR}/${name}/bin/nvcc" "#!/bin/sh\n[ \"$1\" = --version ] || exit 1\n"
      "echo 'Cuda compilation tools, ${version}'\n")
  file(CHMOD "${WORK_DIR}/${name}/bin/nvcc" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endfunction()

# expect(<name of the case> <TANDEM_CUDA> <name of the nvcc> <"passes" or "fails"> <text of the output>...)
function(expect case choice name result)
  set(nvcc "-DCMAKE_CUDA_COMPILER=${WORK_DIR}/${name}/bin/nvcc")
  if(case STREQUAL "found")  # nobody names it
    set(ENV{CUDA_HOME} "${WORK_DIR}/${name}")
    set(nvcc "")
  endif()
  execute_process(
      COMMAND "${CMAKE_COMMAND}" -E env --unset=CUDACXX "${CMAKE_COMMAND}" -S "${WORK_DIR}" -B "${WORK_DIR}/build-${case}" -G "${GENERATOR}"
          "-DTANDEM_CUDA=${choice}" ${nvcc} "-DCUDA_CMAKE=${CUDA_CMAKE}"
      RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if((status EQUAL 0 AND result STREQUAL "fails") OR (NOT status EQUAL 0 AND result STREQUAL "passes"))
    message(FATAL_ERROR "${case}: configuring should have been one that ${result}:\n${output}")
  endif()
  string(REGEX REPLACE "[ \n]+" " " output "${output}")  # messages are wrapped
  foreach(text IN LISTS ARGN)
    string(FIND "${output}" "${text}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "${case}: expected '${text}' in:\n${output}")
    endif()
  endforeach()
endfunction()

file(REMOVE_RECURSE "${WORK_DIR}")
file(WRITE "${WORK_DIR}/CMakeLists.txt" "cmake_minimum_required(VERSION 3.25)\nproject(configure LANGUAGES CXX)\ninclude(\"\${CUDA_CMAKE}\")\n")
fake_nvcc(old "release 12.4, V12.4.131")
fake_nvcc(wordless "soon")
fake_nvcc(broken "release 99.0, V99.0.1")

set(cpu_only "CPU only (TANDEM_CUDA=AUTO)")
expect(auto AUTO old passes "Built for the CPU alone" "is version 12.4.131, and 13.0 or newer is needed" "${cpu_only}")
expect(required ON old fails "TANDEM_CUDA=ON" "is version 12.4.131, and 13.0 or newer is needed")
expect(off OFF old passes "CPU only (TANDEM_CUDA=OFF)")
expect(wordless AUTO wordless passes "does not say which version" "${cpu_only}")
expect(missing ON missing fails "does not say which version")
expect(found AUTO broken passes "broken/bin/nvcc does not compile here" "${cpu_only}")
