# What `cmake --install` puts where, and the Debian packages that cpack makes of it: latchkey, the command line, and
# latchkey-server, the servers with their units. docs/operations.md says how they are used.
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "Latchkey <packages@latchkey.dev>")
set(deploy_dir ${CMAKE_SOURCE_DIR}/deploy)
set(package_dir ${CMAKE_BINARY_DIR}/packages)
add_custom_target(installed ALL) # all that is installed, and no test

# latchkey_install_page(PROGRAM SECTION COMPONENT): the manual page as PROGRAM itself prints it.
function(latchkey_install_page program section component)
  set(page ${package_dir}/${program}.${section}.gz)
  add_custom_command(OUTPUT ${page}
    COMMAND sh -c "\"$1\" manual | gzip -9n >\"$2\"" page $<TARGET_FILE:${program}> ${page}
    DEPENDS ${program} COMMENT "Writing the manual page of ${program}" VERBATIM)
  add_custom_target(${program}-page DEPENDS ${page})
  add_dependencies(installed ${program}-page)
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
endfunction()

# The unit and the settings of a server: they name directories, which are known when it is installed (install_server.cmake).
function(latchkey_install_server program summary)
  install(CODE "
    set(PROGRAM ${program})
    set(SUMMARY \"${summary}\")
    set(DEPLOY_DIR \"${deploy_dir}\")
    set(PACKAGE_DIR \"${package_dir}\")" COMPONENT server)
  install(SCRIPT ${CMAKE_SOURCE_DIR}/cmake/install_server.cmake COMPONENT server)
  file(APPEND ${package_dir}/conffiles "/etc/latchkey/${program}.conf\n")
  latchkey_install_page(${program} 8 server)
endfunction()

# latchkey_install_papers(PACKAGE COMPONENT): what Debian wants of every package.
function(latchkey_install_papers package component)
  set(directory ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package})
  set(changelog ${package_dir}/${package}/changelog)
  string(TIMESTAMP PACKAGE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
  set(PACKAGE ${package})
  configure_file(${deploy_dir}/deb/changelog.in ${changelog} @ONLY)
  execute_process(COMMAND gzip -9nf ${changelog} COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${changelog}.gz ${deploy_dir}/deb/copyright DESTINATION ${directory} COMPONENT ${component})
endfunction()

file(MAKE_DIRECTORY ${package_dir})
file(WRITE ${package_dir}/conffiles "/etc/latchkey/latchkey.conf\n")
latchkey_install_server(latchkey-token "access tokens and log-ins")
latchkey_install_server(latchkey-whitelist "IP allowlists")
latchkey_install_server(latchkey-invitation "companies, members and invitations")
latchkey_install_server(latchkey-validator "decisions from memory")
latchkey_install_server(latchkey-console "the pages for people")
latchkey_install_server(latchkeyd "every server in one process")
latchkey_install_page(latchkey 1 client)
latchkey_install_papers(latchkey-server server)
latchkey_install_papers(latchkey client)
install(FILES ${deploy_dir}/systemd/latchkey.sysusers DESTINATION lib/sysusers.d RENAME latchkey.conf COMPONENT server)
install(FILES ${deploy_dir}/systemd/latchkey.tmpfiles DESTINATION lib/tmpfiles.d RENAME latchkey.conf COMPONENT server)

set(completion ${package_dir}/completion)
add_custom_command(OUTPUT ${completion}
  COMMAND sh -c "\"$1\" completion bash >\"$2\"" completion $<TARGET_FILE:latchkey> ${completion}
  DEPENDS latchkey VERBATIM)
add_custom_target(latchkey-completion DEPENDS ${completion})
add_dependencies(installed latchkey-completion)
install(FILES ${completion} DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions RENAME latchkey
  COMPONENT client)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # what stands in /etc is not below the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VENDOR Latchkey)
set(CPACK_STRIP_FILES TRUE)
set(CPACK_COMPONENTS_ALL client server)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/open_directories.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME latchkey)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_CLIENT_DESCRIPTION "Latchkey issues companies' access tokens, keeps their IP allowlists, and
decides whether a token may be used from an address. This is the command
line: it manages them, asks validators, and prepares the database.")
set(CPACK_DEBIAN_SERVER_PACKAGE_NAME latchkey-server)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS "systemd | systemd-sysusers, systemd | systemd-tmpfiles")
set(CPACK_DEBIAN_SERVER_PACKAGE_RECOMMENDS "latchkey (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS postgresql)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA ${package_dir}/conffiles
  ${deploy_dir}/deb/postinst ${deploy_dir}/deb/prerm ${deploy_dir}/deb/postrm)
set(CPACK_DEBIAN_SERVER_DESCRIPTION "Latchkey issues companies' access tokens, keeps their IP allowlists, invites
their members, and decides whether a token may be used from an address.
These are its servers, each with a unit of systemd. None of them is enabled:
they want a PostgreSQL, whose schema `latchkey migrate` makes.")
set(CPACK_PROJECT_CONFIG_FILE ${package_dir}/cpack.cmake)
file(WRITE ${package_dir}/cpack.cmake "set(ENV{SOURCE_DATE_EPOCH} ${LATCHKEY_DATE_EPOCH})\n")
include(CPack)
