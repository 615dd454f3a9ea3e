/* How a command has something decided: an operation, signed by a person's key, published on the bus, and what the gateway made of it. */
#ifndef QIAO_CLI_OPERATE_H
#define QIAO_CLI_OPERATE_H
#include "cli/cli.h"
#include "events/events.h"
#include "ledger/operations.h"

/* What the person gives; all may be NULL. */
struct operate {
	const char *reason, *document; /* why; a document that backs it */
	const char *operator, *key;    /* default: the account's name, ~/.qiao/<name>.key */
	const char *wait;              /* seconds to wait for the outcome; default 10 */
};
/* Rows for a command's list of options. */
#define OPERATE_OPTIONS(o) \
	{"--reason", &(o).reason, NULL}, {"--document", &(o).document, NULL}, {"--operator", &(o).operator, NULL}, \
		{"--key", &(o).key, NULL}, {"--wait", &(o).wait, NULL}

/* Signs, publishes, waits and tells the outcome. kind and subject as flow/operations.c takes them; argument may be NULL. Gives the exit
 * status: 0 done, or it waits for a second person; 1 refused; EXIT_LATER not seen to be taken yet. */
int operate(struct cli *c, const struct operate *o, const char *kind, const char *subject, const char *argument);
/* The same, and says nothing when it is done: who called goes on with the operation's id. */
int operate_send(struct cli *c, const struct operate *o, const char *kind, const char *subject, const char *argument, char id[ID_HEX]);
/* Finds the subject for an operation on one row: "<payment>" or "<submission>:<row>" out of an id prefix, or a receipt and a row. 0, or an
 * exit status when it has told what is wrong. */
enum { OPERATE_SUBJECT = 48 };
int operate_subject(struct cli *c, const char *what, const char *row, char out[OPERATE_SUBJECT]);
/* Who signs: name and file of the private key, checked (the public key is in [operators] dir). */
int operate_who(const struct cli *c, const struct operate *o, char name[33], char key[CONF_PATH], struct err *e);
/* Signs with that person's key, and checks that their public key fits it. Fills operator and signature, which point into name and signature. */
int operate_sign(const struct cli *c, const struct operate *o, struct operation *op, char name[33], uint8_t signature[64], struct err *e);

#endif
