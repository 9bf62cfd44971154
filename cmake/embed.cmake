# studio_embed(OUTPUT file.cpp HEADER header.hpp TYPE type NAMESPACE namespace VARIABLE name DIRECTORY dir FILES a b …): a source
# file that defines the span which the header declares, of {name, content} for each of the files, which are text. Made anew
# when one of them changes.
function(studio_embed)
  cmake_parse_arguments(EMBED "" "OUTPUT;HEADER;TYPE;NAMESPACE;VARIABLE;DIRECTORY" "FILES" ${ARGN})
  set(text "// Made by cmake/embed.cmake.\n#include \"${EMBED_HEADER}\"\n\n")
  string(APPEND text "namespace ${EMBED_NAMESPACE} {\nnamespace {\nconstexpr ${EMBED_TYPE} k_files[] = {\n")
  foreach(file ${EMBED_FILES})
    file(READ "${EMBED_DIRECTORY}/${file}" content)
    string(APPEND text "    {\"${file}\", R\"STUDIO(${content})STUDIO\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${EMBED_DIRECTORY}/${file}")
  endforeach()
  string(APPEND text "};\n}  // namespace\n")
  string(APPEND text "const std::span<const ${EMBED_TYPE}> ${EMBED_VARIABLE}{k_files};\n}  // namespace ${EMBED_NAMESPACE}\n")
  # Not file(GENERATE), which looks for generator expressions in what it writes.
  if(EXISTS "${EMBED_OUTPUT}")
    file(READ "${EMBED_OUTPUT}" present)
  endif()
  if(NOT "${present}" STREQUAL "${text}")
    file(WRITE "${EMBED_OUTPUT}" "${text}")
  endif()
endfunction()
