/* A person's new number is a new token: a link says that several tokens are one person. What is counted for a person (cap B, one live
 * payment of a sponsor a year) is counted over the group; whether somebody is eligible stays a matter of each token's own record. */
#ifndef QIAO_LEDGER_LINKS_H
#define QIAO_LEDGER_LINKS_H
#include "ledger/ledger.h"

enum { LINK_MAX = 8 }; /* numbers of one person */

/* The tokens of a person: this one first, then those linked with it. Gives how many; 1: it has no link. */
int links_of(const struct ledger *l, const struct id *token, struct id out[LINK_MAX]);
/* Two tokens that are not of one group, and their groups, become one. group: its name from then on, the operation's id. The caller has
 * seen that it does not become too large. */
int link_put(struct ledger *l, const struct id *a, const struct id *b, const struct id *group, struct err *e);
/* The token leaves its group. */
int link_drop(struct ledger *l, const struct id *token, struct err *e);

struct ledger_view;
int view_links(struct ledger_view *v, const struct id *token, struct id out[LINK_MAX], struct err *e); /* as links_of; -1 error */
/* What the SSA knows of others' subsidies for a person and year; -1 on error. */
int64_t view_outside(struct ledger_view *v, const struct id *token, int year, struct err *e);

#endif
