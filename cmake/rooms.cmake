# studio_room(NAME LINK libraries…): every *.cpp of src/NAME is its library studio_NAME; every *_test.cpp goes into the test
# binary NAME_test. A room links only the rooms that doc/layers.txt lets it include.
function(studio_room name)
  cmake_parse_arguments(ROOM "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    return()
  endif()
  add_library(studio_${name} STATIC ${sources})
  target_include_directories(studio_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(studio_${name} PUBLIC ${ROOM_LINK})
  if(STUDIO_TESTS AND tests)
    studio_test(${name}_test ${tests} LINK studio_${name})
  endif()
endfunction()

# GoogleTest's macros cost a compiler more than the tests do: built for speed, and with every comparison checked for undefined
# behaviour, the tests took as long as all else. What they test is in the rooms' libraries, which keep their flags.
set(studio_test_options -O0 -g1 -U_FORTIFY_SOURCE)
if(STUDIO_SANITIZE MATCHES undefined)
  list(APPEND studio_test_options -fno-sanitize=undefined)
endif()

# studio_test(NAME sources… LINK libraries…): a GoogleTest binary, known to ctest as NAME.0 … NAME.3 under the label "unit": four parts
# that run side by side, because one room takes longer than all others together.
function(studio_test name)
  cmake_parse_arguments(TEST "" "" "LINK" ${ARGN})
  add_executable(${name} ${TEST_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/test)
  target_compile_options(${name} PRIVATE ${studio_test_options})
  target_link_libraries(${name} PRIVATE ${TEST_LINK} GTest::gmock GTest::gtest_main)
  foreach(part RANGE 3)
    add_test(NAME ${name}.${part} COMMAND ${name})
    set_tests_properties(${name}.${part} PROPERTIES LABELS unit
                         ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${part}")
  endforeach()
endfunction()
