# Installs the unit of PROGRAM, and the settings that it reads, by the prefix that is installed to: where that is /usr, settings
# stand in /etc. Settings that are there already stay as they are.
set(BINDIR ${CMAKE_INSTALL_PREFIX}/bin)
set(SYSCONFDIR ${CMAKE_INSTALL_PREFIX}/etc/latchkey)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(SYSCONFDIR /etc/latchkey)
endif()

function(install_configured template directory name)
  configure_file(${DEPLOY_DIR}/systemd/${template} ${PACKAGE_DIR}/${name} @ONLY)
  file(INSTALL ${PACKAGE_DIR}/${name} DESTINATION ${directory})
endfunction()

function(install_settings template name)
  if(NOT EXISTS $ENV{DESTDIR}${SYSCONFDIR}/${name})
    install_configured(${template} ${SYSCONFDIR} ${name})
  endif()
endfunction()

install_configured(server.service.in ${CMAKE_INSTALL_PREFIX}/lib/systemd/system ${PROGRAM}.service)
install_settings(latchkey.conf.in latchkey.conf)
install_settings(server.conf.in ${PROGRAM}.conf)
