# Decides whether CUDA is part of this build: sets TANDEM_WITH_CUDA, enables the language, names the runtime target.
set(TANDEM_WITH_CUDA OFF)

# What the code needs: `mma.sp::ordered_metadata` is of CUDA 12.5, and since 13.0 cub::DeviceSegmentedReduce counts
# segments in 64 bits, where it was an int before. Nothing older is built or tested.
set(TANDEM_CUDA_MINIMUM 13.0)

# tandem_cuda_obstacle(<nvcc> <variable>): why this program cannot be used, in a sentence; empty where it can. CMake
# itself ends the configuration where a compiler that it was given does not work.
function(tandem_cuda_obstacle nvcc variable)
  set(${variable} "" PARENT_SCOPE)
  execute_process(COMMAND "${nvcc}" --version RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT "${status}" STREQUAL "0" OR NOT output MATCHES "release [0-9.]+, V([0-9.]+)")
    set(${variable} "${nvcc} does not say which version of nvcc it is, and ${TANDEM_CUDA_MINIMUM} or newer is needed" PARENT_SCOPE)
  elseif(CMAKE_MATCH_1 VERSION_LESS TANDEM_CUDA_MINIMUM)
    set(${variable} "${nvcc} is version ${CMAKE_MATCH_1}, and ${TANDEM_CUDA_MINIMUM} or newer is needed" PARENT_SCOPE)
  endif()
endfunction()

if(NOT TANDEM_CUDA STREQUAL "OFF")
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES "75-real;80-real;86-real;89-real;90a-real;90-virtual"
        CACHE STRING "CUDA architectures, explicit (for instance 80-real;90-virtual)" FORCE)
  endif()
  if(CMAKE_CUDA_ARCHITECTURES MATCHES "native|all")
    message(FATAL_ERROR "CMAKE_CUDA_ARCHITECTURES is '${CMAKE_CUDA_ARCHITECTURES}': name the architectures "
                        "(for instance 80-real;90-virtual), so that a build does not depend on the machine it ran on")
  endif()
  # What was named; else nvcc, outside PATH in the usual folder of the toolkit.
  set(_tandem_nvcc "${CMAKE_CUDA_COMPILER}")
  if(NOT _tandem_nvcc AND DEFINED ENV{CUDACXX})
    set(_tandem_nvcc "$ENV{CUDACXX}")
  elseif(NOT _tandem_nvcc)
    unset(_tandem_nvcc)
    find_program(_tandem_nvcc nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES bin NO_CACHE)
  endif()
  set(_tandem_obstacle "no CUDA compiler was found (set CMAKE_CUDA_COMPILER or CUDACXX to nvcc)")
  if(_tandem_nvcc)
    tandem_cuda_obstacle("${_tandem_nvcc}" _tandem_obstacle)
  endif()
  if(_tandem_nvcc AND NOT _tandem_obstacle AND NOT CMAKE_CUDA_COMPILER)
    set(ENV{CUDACXX} "${_tandem_nvcc}")  # which the check tries in a project of its own
    include(CheckLanguage)
    check_language(CUDA)
    if(NOT CMAKE_CUDA_COMPILER)
      set(_tandem_obstacle "${_tandem_nvcc} does not compile here")
    endif()
  endif()
  if(NOT _tandem_obstacle)
    # The runtime is linked by name, so that a consumer without the CUDA language links the same one.
    set(CMAKE_CUDA_RUNTIME_LIBRARY None)
    enable_language(CUDA)
    # FindCUDAToolkit of CMake 3.25 stops at toolkits without nvToolsExt (CUDA 13) in projects that ask for 3.25.
    set(_tandem_minimum "${CMAKE_MINIMUM_REQUIRED_VERSION}")
    set(CMAKE_MINIMUM_REQUIRED_VERSION 3.24)
    find_package(CUDAToolkit REQUIRED)
    set(CMAKE_MINIMUM_REQUIRED_VERSION "${_tandem_minimum}")
    if(TANDEM_CUDART STREQUAL "shared")
      set(TANDEM_CUDART_TARGET CUDA::cudart)
    else()
      set(TANDEM_CUDART_TARGET CUDA::cudart_static)
    endif()
    if(NOT TARGET ${TANDEM_CUDART_TARGET})
      message(FATAL_ERROR "TANDEM_CUDART=${TANDEM_CUDART}, but the toolkit in ${CUDAToolkit_ROOT_DIR} has no such library")
    endif()
    set(TANDEM_WITH_CUDA ON)
  elseif(TANDEM_CUDA STREQUAL "ON")
    message(FATAL_ERROR "TANDEM_CUDA=ON, but ${_tandem_obstacle}")
  elseif(_tandem_nvcc)
    message(WARNING "Built for the CPU alone: ${_tandem_obstacle}")
  endif()
endif()

if(TANDEM_WITH_CUDA)
  message(STATUS "tandem: CUDA ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}, ${TANDEM_CUDART} runtime")
else()
  message(STATUS "tandem: CPU only (TANDEM_CUDA=${TANDEM_CUDA})")
endif()

# Device code is compiled as the host code is: C++20 (an option of its own, since CMake 3.25 does not know this level
# for nvcc), and fused multiply-adds only where they are written out.
function(tandem_cuda_options target)
  target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;--fmad=false;-Xptxas=-warn-spills;--compress-mode=size>")
endfunction()
