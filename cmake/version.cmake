# <tandem/version.h> from the project's version; the same file serves the build and the installation.
configure_file("${PROJECT_SOURCE_DIR}/cmake/version.h.in" "${PROJECT_BINARY_DIR}/include/tandem/version.h" @ONLY)
