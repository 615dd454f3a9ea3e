/* Each instruction reads one value of the body. Records leave no instruction behind; a union
 * becomes a jump table; an array or map becomes a loop whose counter lies on a small stack:
 *
 *     ARRAY -> L    push a counter, go to L       UNION n
 *  I: ... item ...                                JUMP -> branch 0 ... JUMP -> branch n-1
 *  L: NEXT -> I     one item less, or the next    branch 0 ... JUMP -> out
 *                   block, or on                  ... branch n-1 ... JUMP -> out
 *
 * Blocks with a negative count carry their size in bytes: it must be the true one, since other
 * readers skip by it. */
#include "events/check.h"
#include "events/events.h"
#include <stdlib.h>
#include <string.h>

enum op_code {
	OP_END,
	OP_BOOLEAN,
	OP_INT,
	OP_LONG,
	OP_SKIP,
	OP_BYTES,
	OP_STRING,
	OP_ENUM,
	OP_UNION,
	OP_MAYBE,
	OP_JUMP,
	OP_ARRAY,
	OP_NEXT,
};

#define NO_JUMP 0xffffff /* the end of a chain of jumps; CHECK_OPS_MAX is far below */

struct check_op {
	uint32_t code : 8, arg : 24;
};

struct frame {
	int64_t left;		  /* items of this block still to come */
	const uint8_t *block_end; /* where the block says that it ends; NULL when it does not say */
};

struct in {
	const uint8_t *p, *end;
	const char *why;
	int64_t items; /* that may still come in this event */
};

static int compile(struct check *c, const struct schema_node *n, int depth, struct err *e);

static int emit(struct check *c, enum op_code code, uint32_t arg, struct err *e)
{
	if (c->count == CHECK_OPS_MAX)
		return err_set(e, ERR_CONF, "schema: unfolds to over %d values", CHECK_OPS_MAX);
	c->ops[c->count] = (struct check_op){.code = code, .arg = arg & 0xffffff};
	return c->count++;
}

/* Lets the jump at `at` go to the next instruction. */
static void aim(struct check *c, int at)
{
	c->ops[at].arg = (uint32_t)c->count & 0xffffff;
}

static int compile_union(struct check *c, const struct schema_node *n, int depth, struct err *e)
{
	int table, out = -1;

	/* Nearly all of our unions are of null and one type. */
	if (n->count == 2 && n->child->type == SCH_NULL) {
		out = emit(c, OP_MAYBE, 0, e);
		if (out < 0 || compile(c, n->child->next, depth + 1, e))
			return -1;
		aim(c, out);
		return 0;
	}
	if (emit(c, OP_UNION, n->count, e) < 0)
		return -1;
	table = c->count;
	for (uint32_t i = 0; i < n->count; i++) {
		if (emit(c, OP_JUMP, 0, e) < 0)
			return -1;
	}
	/* The jumps out of the branches are chained through their own targets until the end is
	 * known. */
	for (const struct schema_node *b = n->child; b; b = b->next) {
		aim(c, table++);
		if (compile(c, b, depth + 1, e))
			return -1;
		out = emit(c, OP_JUMP, out < 0 ? NO_JUMP : (uint32_t)out, e);
		if (out < 0)
			return -1;
	}
	while (out >= 0) {
		int before = c->ops[out].arg == NO_JUMP ? -1 : (int)c->ops[out].arg;

		aim(c, out);
		out = before;
	}
	return 0;
}

static int compile_items(struct check *c, const struct schema_node *n, int depth, struct err *e)
{
	int loop = emit(c, OP_ARRAY, 0, e), item = c->count;

	if (loop < 0 || (n->type == SCH_MAP && emit(c, OP_STRING, 0, e) < 0))
		return -1;
	if (compile(c, n->child, depth + 1, e))
		return -1;
	aim(c, loop);
	return emit(c, OP_NEXT, (uint32_t)item, e) < 0 ? -1 : 0;
}

static int compile(struct check *c, const struct schema_node *n, int depth, struct err *e)
{
	static const enum op_code simple[SCH_TYPES] = {
		[SCH_BOOLEAN] = OP_BOOLEAN, [SCH_INT] = OP_INT,	    [SCH_LONG] = OP_LONG,
		[SCH_FLOAT] = OP_SKIP,	    [SCH_DOUBLE] = OP_SKIP, [SCH_BYTES] = OP_BYTES,
		[SCH_STRING] = OP_STRING,   [SCH_ENUM] = OP_ENUM,   [SCH_FIXED] = OP_SKIP,
	};
	uint32_t size = n->type == SCH_FLOAT ? 4 : n->type == SCH_DOUBLE ? 8 : n->size;

	if (n->recursive)
		return err_set(e, ERR_CONF, "schema: %s refers to itself", n->name);
	if (depth > SCHEMA_DEPTH_MAX)
		return err_set(e, ERR_CONF, "schema: nested too deep");
	switch (n->type) {
	case SCH_NULL:
		return 0;
	case SCH_RECORD:
		for (const struct schema_node *f = n->child; f; f = f->next) {
			if (compile(c, f, depth + 1, e))
				return -1;
		}
		return 0;
	case SCH_UNION:
		return compile_union(c, n, depth, e);
	case SCH_ARRAY:
	case SCH_MAP:
		return compile_items(c, n, depth, e);
	default:
		return emit(c, simple[n->type], size, e) < 0 ? -1 : 0;
	}
}

int check_compile(struct check *c, const struct schema *s, struct err *e)
{
	void *fit;

	c->count = 0;
	c->ops = calloc(CHECK_OPS_MAX, sizeof *c->ops);
	if (c->ops == NULL)
		return err_set(e, ERR_TEMP, "schema: out of memory");
	if (compile(c, &s->nodes[0], 0, e) || emit(c, OP_END, 0, e) < 0) {
		check_fini(c);
		return -1;
	}
	fit = realloc(c->ops, (size_t)c->count * sizeof *c->ops);
	if (fit)
		c->ops = fit;
	return 0;
}

void check_fini(struct check *c)
{
	free(c->ops);
	*c = (struct check){0};
}

bool check_text(const char *p, size_t n)
{
	static const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	size_t i = 0;

	/* Eight ASCII bytes at a time; a word with a NUL or a high bit ends it. */
	for (; i + 8 <= n; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, 8);
		if ((w & tops) || ((w - ones) & ~w & tops))
			break;
	}
	for (; i < n && p[i] > 0; i++)
		;
	if (i == n)
		return true;
	return memchr(p + i, '\0', n - i) == NULL && utf8_valid((struct str){p + i, n - i});
}

static bool fail(struct in *in, const char *why)
{
	in->why = why;
	return false;
}

static bool get_long_rest(struct in *in, int64_t *out)
{
	uint64_t v = 0;
	uint8_t byte = 0x80;

	for (int shift = 0; byte & 0x80; shift += 7) {
		if (in->p == in->end)
			return fail(in, "truncated");
		byte = *in->p++;
		/* The tenth byte has room for one bit; a last byte of 0 adds nothing but a
		 * second form. */
		if (shift == 63 ? byte > 1 : byte == 0)
			return fail(in, "number not in its shortest form");
		v |= (uint64_t)(byte & 0x7f) << shift;
	}
	*out = (int64_t)(v >> 1 ^ (0 - (v & 1)));
	return true;
}

static inline bool get_long(struct in *in, int64_t *out)
{
	if (in->p < in->end && *in->p < 0x80) {
		uint8_t v = *in->p++;

		*out = v >> 1 ^ -(v & 1);
		return true;
	}
	return get_long_rest(in, out);
}

static inline bool get_bytes(struct in *in, int64_t max, const uint8_t **at, int64_t *n)
{
	if (!get_long(in, n))
		return false;
	if (*n < 0 || *n > in->end - in->p)
		return fail(in, "length beyond the end");
	if (*n > max)
		return fail(in, "text or bytes too long");
	*at = in->p;
	in->p += *n;
	return true;
}

/* The head of the next block: false at an error or, with why == NULL, after the last one. */
static bool next_block(struct in *in, struct frame *f)
{
	int64_t count, size = 0;
	bool sized;

	if (f->block_end && f->block_end != in->p)
		return fail(in, "block of another size than it says");
	if (!get_long(in, &count))
		return false;
	sized = count < 0;
	if (count < -CHECK_ITEMS_MAX || count > CHECK_ITEMS_MAX)
		return fail(in, "too many items");
	if (sized && !get_long(in, &size))
		return false;
	if (size < 0 || size > in->end - in->p)
		return fail(in, "block beyond the end");
	f->left = sized ? -count : count;
	f->block_end = sized ? in->p + size : NULL;
	in->items -= f->left;
	if (in->items < 0)
		return fail(in, "too many items");
	return count != 0;
}

/* One value that stands alone. */
static bool check_value(struct in *in, struct check_op op)
{
	const uint8_t *at;
	int64_t v;

	switch (op.code) {
	case OP_BOOLEAN:
		if (in->p == in->end || *in->p++ > 1)
			return fail(in, "boolean neither 0 nor 1");
		return true;
	case OP_INT:
		if (!get_long(in, &v))
			return false;
		return v == (int32_t)v ? true : fail(in, "int out of range");
	case OP_LONG:
		return get_long(in, &v);
	case OP_SKIP:
		if (op.arg > in->end - in->p)
			return fail(in, "truncated");
		in->p += op.arg;
		return true;
	case OP_BYTES:
		return get_bytes(in, EVENT_BYTES_MAX, &at, &v);
	case OP_STRING:
		if (!get_bytes(in, EVENT_TEXT_MAX, &at, &v))
			return false;
		return check_text((const char *)at, (size_t)v)
			       ? true
			       : fail(in, "text not UTF-8 or with NUL");
	default: /* OP_ENUM */
		if (!get_long(in, &v))
			return false;
		return v >= 0 && v < op.arg ? true : fail(in, "enum out of range");
	}
}

const char *check_run(const struct check *c, struct str body)
{
	struct in in = {(const uint8_t *)body.p, (const uint8_t *)body.p + body.n, NULL,
			CHECK_ITEMS_MAX};
	struct frame stack[SCHEMA_DEPTH_MAX + 1], *f = stack;
	uint32_t pc = 0;
	int64_t v;

	for (;;) {
		const struct check_op op = c->ops[pc++];

		switch (op.code) {
		case OP_END:
			return in.p == in.end ? NULL : "bytes behind the end";
		case OP_MAYBE:
		case OP_UNION:
			if (!get_long(&in, &v))
				return in.why;
			if (v < 0 || v >= (op.code == OP_MAYBE ? 2 : (int64_t)op.arg))
				return "union index out of range";
			if (op.code == OP_UNION)
				pc += (uint32_t)v;
			else if (v == 0)
				pc = op.arg;
			break;
		case OP_JUMP:
			pc = op.arg;
			break;
		case OP_ARRAY:
			*++f = (struct frame){
				0, NULL}; /* deep enough: compile() counted the nesting */
			pc = op.arg;
			break;
		case OP_NEXT:
			if (f->left > 0 || next_block(&in, f)) {
				f->left--;
				pc = op.arg;
			} else if (in.why) {
				return in.why;
			} else {
				f--;
			}
			break;
		default:
			if (!check_value(&in, op))
				return in.why;
		}
	}
}
