# What every build of the library target has.
function(tandem_library_properties target)
  set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE CXX
      EXPORT_NAME tandem OUTPUT_NAME tandem)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/common/include>
      $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

# tandem_install(<target> <component> <with CUDA>): installs one build of the library as the package tandem: headers,
# CMake package, pkg-config file. The component lets the tests install a CPU-only package from the objects of a CUDA
# build.
include(CMakePackageConfigHelpers)

function(tandem_install target component with_cuda)
  set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/tandem")
  set(generated "${PROJECT_BINARY_DIR}/package/${component}")
  set(rule COMPONENT ${component} ${ARGN})

  install(TARGETS ${target} EXPORT ${target}Targets
      ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${rule}
      LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${rule}
      RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" ${rule})
  install(EXPORT ${target}Targets NAMESPACE tandem:: FILE tandemTargets.cmake DESTINATION "${package_dir}" ${rule})
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/common/include/tandem" "${PROJECT_BINARY_DIR}/include/tandem"
      DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" ${rule} FILES_MATCHING PATTERN "*.h")

  # A static library hands its own dependencies on to whoever links it; a shared one keeps them.
  set(pkgconfig_requires "")
  set(pkgconfig_libs "-ltandem")
  set(static_package OFF)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    set(static_package ON)
    set(pkgconfig_requires "libhwy fmt")
    string(APPEND pkgconfig_libs " -pthread -ldl")
    if(with_cuda)
      list(GET CUDAToolkit_LIBRARY_DIR 0 cuda_libraries)
      if(TANDEM_CUDART STREQUAL "shared")
        string(APPEND pkgconfig_libs " -L${cuda_libraries} -lcudart")
      else()
        string(APPEND pkgconfig_libs " -L${cuda_libraries} -lcudart_static -lrt")
      endif()
    endif()
  endif()
  file(RELATIVE_PATH pkgconfig_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" pkgconfig_prefix "${pkgconfig_prefix}")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/tandem.pc.in" "${generated}/tandem.pc" @ONLY)
  install(FILES "${generated}/tandem.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" ${rule})

  set(package_cuda OFF)
  if(with_cuda)
    set(package_cuda ON)
  endif()
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/tandemConfig.cmake.in" "${generated}/tandemConfig.cmake"
      INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file("${generated}/tandemConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${generated}/tandemConfig.cmake" "${generated}/tandemConfigVersion.cmake" DESTINATION "${package_dir}" ${rule})
endfunction()
