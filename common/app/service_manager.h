// What the service manager that started the process wants to know, as sd_notify(3) tells it: a datagram to
// the socket that NOTIFY_SOCKET names. Without the variable nobody is told.
#ifndef LATCHKEY_COMMON_APP_SERVICE_MANAGER_H
#define LATCHKEY_COMMON_APP_SERVICE_MANAGER_H

void service_manager_say_ready(void);    // the ports are open
void service_manager_say_stopping(void); // it was told to stop

#endif
