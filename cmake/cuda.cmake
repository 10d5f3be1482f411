# Decides whether CUDA is part of this build: sets TANDEM_WITH_CUDA, enables the language, names the runtime target.
set(TANDEM_WITH_CUDA OFF)

if(NOT TANDEM_CUDA STREQUAL "OFF")
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES "75-real;80-real;86-real;89-real;90-real;90-virtual"
        CACHE STRING "CUDA architectures, explicit (for instance 80-real;90-virtual)" FORCE)
  endif()
  if(CMAKE_CUDA_ARCHITECTURES MATCHES "native|all")
    message(FATAL_ERROR "CMAKE_CUDA_ARCHITECTURES is '${CMAKE_CUDA_ARCHITECTURES}': name the architectures "
                        "(for instance 80-real;90-virtual), so that a build does not depend on the machine it ran on")
  endif()
  # An nvcc outside PATH: the usual folder of the toolkit.
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(_tandem_nvcc nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES bin NO_CACHE)
    if(_tandem_nvcc)
      set(CMAKE_CUDA_COMPILER "${_tandem_nvcc}")
    endif()
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
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
    message(FATAL_ERROR "TANDEM_CUDA=ON, but no CUDA compiler was found (set CMAKE_CUDA_COMPILER or CUDACXX to nvcc)")
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
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;--fmad=false;-Xptxas=-warn-spills>")
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.4)
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--compress-mode=size>")
  endif()
endfunction()
