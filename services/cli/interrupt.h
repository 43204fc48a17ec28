// Ctrl-C in a command of many calls: it ends between two of them, and can say how to go on.
#ifndef LATCHKEY_SERVICES_CLI_INTERRUPT_H
#define LATCHKEY_SERVICES_CLI_INTERRUPT_H

#include <stdbool.h>

// From now on the first Ctrl-C (or SIGTERM) is only noted; a second one ends the program.
void interrupt_begin(void);
bool interrupt_has_come(void);

#endif
