# Libraries that tandem itself needs. None of them is visible in its public headers.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(hwy 1.0.3 CONFIG REQUIRED)
find_package(Eigen3 3.4 CONFIG REQUIRED)
find_package(fmt 9 CONFIG REQUIRED)  # compiled: header-only, it doubles the time to build common
find_package(nlohmann_json 3.11 CONFIG REQUIRED)
