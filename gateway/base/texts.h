/* The rows behind text.h, in two files because of their length; both languages side by side, so that who changes one sees the
 * other. For text.c alone. */
#ifndef QIAO_BASE_TEXTS_H
#define QIAO_BASE_TEXTS_H

struct text {
	const char *code, *zh, *en;
};
extern const struct text texts_for_clerks[], texts_for_operators[];
extern const int texts_for_clerks_count, texts_for_operators_count;

#endif
