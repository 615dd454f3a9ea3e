#include "tests/lib/kafka_rights.h"
#include "base/clock.h"
#include "base/str.h"
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MS = 20000, LOOK_MS = 10 };

struct asker {
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
};

static int take_text(char *to, size_t cap, const json_t *acl, const char *key);
static int asker_open(struct asker *a, const char *servers, struct err *e);
static void asker_close(struct asker *a);
static rd_kafka_AclBinding_t *binding(const struct right *one, const char *principal, bool filter,
				      struct err *e);
static int answer(struct asker *a, const char *what, rd_kafka_event_t **out, struct err *e);
static int of_program(const struct rights *r, const char *program, const struct right **out,
		      struct err *e);
static int change(const struct right *const *list, int count, const char *principal, bool give,
		  const char *servers, struct err *e);
static int await_known(struct asker *a, rd_kafka_AclBinding_t *filter, bool wanted, struct err *e);

int rights_read(struct rights *r, const char *json, struct err *e)
{
	json_error_t why;
	json_t *root = json_loads(json, 0, &why), *acl;
	int rc = 0;
	size_t i;

	r->count = 0;
	if (root == NULL)
		return err_set(e, ERR_CONF, "the plan of rights is no JSON: %s", why.text);
	json_array_foreach(json_object_get(root, "acls"), i, acl)
	{
		struct right *one = &r->at[r->count];

		if (r->count++ == RIGHTS_MAX ||
		    take_text(one->program, sizeof one->program, acl, "program") < 0 ||
		    take_text(one->operation, sizeof one->operation, acl, "operation") < 0 ||
		    take_text(one->kind, sizeof one->kind, acl, "kind") < 0 ||
		    take_text(one->name, sizeof one->name, acl, "name") < 0) {
			rc = err_set(e, ERR_CONF, "right %d of the plan is none", r->count);
			break;
		}
	}
	json_decref(root);
	return rc;
}

int rights_give(const struct rights *r, const char *program, const char *principal,
		const char *servers, struct err *e)
{
	const struct right *list[RIGHTS_MAX];
	int n = of_program(r, program, list, e);

	return n > 0 ? change(list, n, principal, true, servers, e) : -1;
}

int rights_take(const struct rights *r, const char *program, const char *principal,
		const char *servers, struct err *e)
{
	const struct right *list[RIGHTS_MAX];
	int n = of_program(r, program, list, e);

	return n > 0 ? change(list, n, principal, false, servers, e) : -1;
}

int right_give(const struct right *one, const char *principal, const char *servers, struct err *e)
{
	return change(&one, 1, principal, true, servers, e);
}

static int of_program(const struct rights *r, const char *program, const struct right **out,
		      struct err *e)
{
	int n = 0;

	for (int i = 0; i < r->count; i++)
		if (strcmp(r->at[i].program, program) == 0)
			out[n++] = &r->at[i];
	return n > 0 ? n : err_set(e, ERR_CONF, "the plan has no rights for %s", program);
}

static int take_text(char *to, size_t cap, const json_t *acl, const char *key)
{
	const char *text = json_string_value(json_object_get(acl, key));

	return text ? str_copy(to, cap, str_of(text)) : -1;
}

static int change(const struct right *const *list, int count, const char *principal, bool give,
		  const char *servers, struct err *e)
{
	rd_kafka_AclBindingFilter_t *last = binding(list[count - 1], principal, true, e);
	rd_kafka_AclBinding_t *all[RIGHTS_MAX];
	rd_kafka_event_t *event = NULL;
	struct asker a = {0};
	int rc = last ? 0 : -1, n = 0;

	while (rc == 0 && n < count) {
		all[n] = binding(list[n], principal, !give, e);
		rc = all[n] ? 0 : -1;
		n += rc == 0;
	}
	if (rc == 0 && (rc = asker_open(&a, servers, e)) == 0) {
		if (give)
			rd_kafka_CreateAcls(a.rk, all, (size_t)n, NULL, a.queue);
		else
			rd_kafka_DeleteAcls(a.rk, all, (size_t)n, NULL, a.queue);
		rc = answer(&a, give ? "create ACLs" : "delete ACLs", &event, e);
	}
	if (rc == 0) /* they change in their order */
		rc = await_known(&a, last, give, e);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_AclBinding_destroy_array(all, (size_t)n);
	if (last)
		rd_kafka_AclBinding_destroy(last);
	asker_close(&a);
	return rc;
}

static int asker_open(struct asker *a, const char *servers, struct err *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[200];

	rd_kafka_conf_set(conf, "bootstrap.servers", servers, why, sizeof why);
	rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
	a->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	if (a->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		return err_set(e, ERR_CONF, "librdkafka: %s", why);
	}
	a->queue = rd_kafka_queue_new(a->rk);
	return 0;
}

static void asker_close(struct asker *a)
{
	if (a->rk == NULL)
		return;
	rd_kafka_queue_destroy(a->queue);
	rd_kafka_destroy(a->rk);
}

static rd_kafka_AclBinding_t *binding(const struct right *one, const char *principal, bool filter,
				      struct err *e)
{
	static const struct {
		const char *name;
		int value;
	} words[] = {
		{"topic", RD_KAFKA_RESOURCE_TOPIC},
		{"group", RD_KAFKA_RESOURCE_GROUP},
		{"cluster", RD_KAFKA_RESOURCE_BROKER},
		{"Read", RD_KAFKA_ACL_OPERATION_READ},
		{"Write", RD_KAFKA_ACL_OPERATION_WRITE},
		{"Create", RD_KAFKA_ACL_OPERATION_CREATE},
		{"Describe", RD_KAFKA_ACL_OPERATION_DESCRIBE},
		{"DescribeConfigs", RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS},
	};
	rd_kafka_AclOperation_t may = RD_KAFKA_ACL_OPERATION_UNKNOWN;
	rd_kafka_ResourceType_t type = RD_KAFKA_RESOURCE_UNKNOWN;
	rd_kafka_AclBinding_t *made;
	char why[200];

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(words[i].name, one->kind) == 0)
			type = (rd_kafka_ResourceType_t)words[i].value;
		if (strcmp(words[i].name, one->operation) == 0)
			may = (rd_kafka_AclOperation_t)words[i].value;
	}
	made = (filter ? rd_kafka_AclBindingFilter_new : rd_kafka_AclBinding_new)(
		type, one->name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, principal, "*", may,
		RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why, sizeof why);
	if (made == NULL)
		err_set(e, ERR_CONF, "%s %s %s: %s", one->operation, one->kind, one->name, why);
	return made;
}

static int answer(struct asker *a, const char *what, rd_kafka_event_t **out, struct err *e)
{
	*out = rd_kafka_queue_poll(a->queue, ANSWER_MS);
	if (*out && rd_kafka_event_error(*out) == RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	return err_set(e, ERR_TEMP, "%s: %s", what,
		       *out ? rd_kafka_event_error_string(*out) : "no answer");
}

/* A broker tells those that it goes by; that the controller has taken them is not enough. */
static int await_known(struct asker *a, rd_kafka_AclBinding_t *filter, bool wanted, struct err *e)
{
	int64_t until = clock_monotonic() + ANSWER_MS;
	rd_kafka_event_t *event;
	size_t count = 0;

	do {
		int rc;

		rd_kafka_DescribeAcls(a->rk, filter, NULL, a->queue);
		rc = answer(a, "describe ACLs", &event, e);
		if (rc == 0)
			rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event),
							  &count);
		if (event)
			rd_kafka_event_destroy(event);
		if (rc < 0)
			return -1;
		if ((count > 0) == wanted)
			return 0;
		rd_kafka_poll(a->rk, LOOK_MS);
	} while (clock_monotonic() < until);
	return err_set(e, ERR_TEMP, "the broker does not go by a change of ACLs");
}
