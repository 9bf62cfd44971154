# The libraries that Studio is built on, all from Debian 12. They are linked statically: the binary needs nothing but
# glibc, and starts without a dozen libraries to load.
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(tl-expected REQUIRED)

function(studio_static_library name header library)
  find_path(${name}_INCLUDE ${header} REQUIRED)
  find_library(${name}_LIBRARY NAMES lib${library}.a REQUIRED)
  add_library(dep::${name} STATIC IMPORTED)
  set_target_properties(dep::${name} PROPERTIES IMPORTED_LOCATION ${${name}_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE}
                        INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};${ARGN}")
endfunction()

studio_static_library(crypto openssl/evp.h crypto)
studio_static_library(ssl openssl/ssl.h ssl dep::crypto)
studio_static_library(zstd zstd.h zstd)
studio_static_library(zlib zlib.h z)
studio_static_library(sqlite sqlite3.h sqlite3 m)
studio_static_library(xxhash xxhash.h xxhash)
studio_static_library(yaml yaml-cpp/yaml.h yaml-cpp)

# Beast and Asio: headers only.
find_package(Boost 1.81 REQUIRED)
add_library(dep::boost INTERFACE IMPORTED)
target_link_libraries(dep::boost INTERFACE Boost::headers Threads::Threads)
if(STUDIO_SANITIZE STREQUAL "thread")
  # ThreadSanitizer knows nothing of fences. What they order is handed on under a mutex as well.
  target_compile_definitions(dep::boost INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

if(STUDIO_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  enable_testing()
endif()
