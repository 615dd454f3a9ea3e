/* The list for posting 公示名单: the persons of a roster that nothing is wrong with, masked, for the village to put up for at least five
 * working days (plan, section 5). A file beside the answers, in the folder 公示 of the sender, made anew when other rows are left
 * out than before. It is no roster and is never read. */
#ifndef QIAO_VILLAGE_POSTING_H
#define QIAO_VILLAGE_POSTING_H
#include "adapters/village/render.h"

#define POSTING_FOLDER "公示"
#define POSTING_SUFFIX ".公示名单.csv"
/* The content: as render() of render.h, from the same parts. Asks nobody and decides nothing: a row that was told to be mended, or has
 * ended, is left out. */
int posting_render(const struct rendering *r, struct sink to, struct err *e);
/* "老龄办.公示名单.csv" for the answer "老龄办.回执.csv"; -1 when it does not fit. */
int posting_name(char *out, size_t cap, const char *roster);
/* Whether the roster is as far as to be posted: complete and not refused. */
bool posting_is_due(const struct roster_state *st);

#endif
