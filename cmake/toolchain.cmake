# Compiler, warnings, linker, cache.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
                    -Woverloaded-virtual -Wimplicit-fallthrough -Werror)
# Members left out of a designated initialiser take the defaults that the struct declares: that is their purpose.
add_compile_options(-Wno-missing-field-initializers)
# GCC 12 takes moved-from std::optional and tl::expected for uninitialised. The sanitizers check the real thing.
add_compile_options(-Wno-maybe-uninitialized)

if(STUDIO_SANITIZE)
  add_compile_options(-fsanitize=${STUDIO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${STUDIO_SANITIZE})
else()
  add_compile_options(-fstack-protector-strong)
  add_compile_definitions($<$<CONFIG:RelWithDebInfo>:_FORTIFY_SOURCE=2>)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
