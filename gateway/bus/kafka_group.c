/* Readers of consumer groups. The group shares the partitions out; where reading goes on is the
 * committed position, whose metadata is the id of the last event: it is compared with what lies
 * there before anything is read.
 *
 * A rebalance waits for us: its callback runs in bus_read only, so never while a window of an adapter
 * is open. The callback only takes the list of partitions down; member_turn, called by bus_read too,
 * looks the positions up and begins. Until then nothing is fetched.
 *
 * Members are static (kafka_conf.c): who is killed and starts again has its share back at once, and
 * nobody else's share changes. So nobody leaves the group at its end, either: its share waits for it
 * until its session is over. Only a reader that is refused leaves.
 *
 * "Fenced by another member of this name" is what the brokers say when a second program has our
 * name, but also when the word that they gave us a new number was lost with the coordinator that gave
 * it. So a fenced member joins again with a handle that has no number yet, which fences the other, if
 * there is one; who is fenced again and again stops, and the other lives.
 *
 * Alone: such a reader begins when the group has no other member. One that finds another waits as
 * long as a dead member lingers there and is refused then; the one that was first never joins two
 * shares: where another slipped in, it reads nothing until that one is gone. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CLOSE_MS = 5000,    /* for the end of a membership; brokers may be away */
	LEAVE_MS = 1000,    /* for telling them */
	ASK_EVERY_MS = 500, /* who else is in the group */
	ASKED_MS = 5000,    /* then another handle asks */
	ALONE_MS = 15000,   /* a dead member counts for its session's 10 s */
	FENCED_MAX = 6,	    /* times within */
	FENCED_WITHIN_MS = 60000,
	FENCED_PAUSE_MS = 400, /* before the next try, each time that much longer */
};

struct kafka_member {
	bool joined, closing;
	bool had_all;				/* alone: was the only one once */
	rd_kafka_topic_partition_list_t *given; /* a share that has not begun */
	int64_t since_ms;			/* of its wait for positions */
	rd_kafka_t *asker;			/* alone: who else is there? */
	rd_kafka_queue_t *answers;
	intptr_t question;			/* its number: older ones' answers tell nothing */
	bool asking, told;			/* told: others and first are those of now */
	int others;				/* other members */
	bool first;				/* of all members by name */
	int64_t asked_ms, crowded_ms; /* crowded_ms: since when there have been others, 0 = not */
	char name[128];		      /* of this member */
	bool fenced;		      /* the handle is dead */
	int fences;		      /* since */
	int64_t fence_ms, again_ms;   /* the first of them; when the next handle is due */
};

static int handle_new(struct kafka_reader *r, struct err *e);
static void handle_end(struct kafka_reader *r, int64_t patience_ms);
static int join(struct kafka_reader *r, struct err *e);
static void leave(struct kafka_reader *r);
static void set_rebalance(rd_kafka_conf_t *conf, void *arg);
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
			 rd_kafka_topic_partition_list_t *list, void *opaque);
static void drop_given(struct kafka_member *m);
static void end_share(struct kafka_reader *r);
static int begin_share(struct kafka_reader *r, struct err *e);
static int begin_part(struct kafka_reader *r, const rd_kafka_topic_partition_t *at, struct err *e);
static int look_around(struct kafka_reader *r, struct err *e);
static void asker_end(struct kafka_member *m);
static int count_others(struct kafka_reader *r, rd_kafka_event_t *event, struct err *e);
static int crowded(struct kafka_reader *r, struct err *e);
static rd_kafka_topic_partition_list_t *moved(const struct kafka_reader *r);
static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err,
		      rd_kafka_topic_partition_list_t *list, void *opaque);
static int commit(struct kafka_reader *r, rd_kafka_topic_partition_list_t *list,
		  rd_kafka_queue_t *queue, int64_t *since, struct err *e);

int member_open(struct kafka_reader *r, struct err *e)
{
	struct kafka_member *m = calloc(1, sizeof *m);
	size_t size = sizeof m->name;

	if (m == NULL)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", r->t->name);
	r->member = m;
	if (handle_new(r, e) < 0)
		return -1;
	r->next = r->k->groups;
	r->k->groups = r;
	if (!r->alone)
		return join(r, e);
	if (rd_kafka_conf_get(rd_kafka_conf(r->rk), "group.instance.id", m->name, &size) !=
	    RD_KAFKA_CONF_OK)
		m->name[0] = '\0';
	return 0;
}

/* In bounded time, brokers or not: what they are not told they find out by themselves. */
void member_close(struct kafka_reader *r)
{
	struct kafka_reader **at = &r->k->groups;
	struct kafka_member *m = r->member;

	if (m == NULL)
		return;
	m->closing = true;
	handle_end(r, CLOSE_MS);
	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	drop_given(m);
	asker_end(m);
	free(m);
	r->member = NULL;
}

int member_turn(struct kafka_reader *r, struct err *e)
{
	struct kafka_member *m = r->member;

	if (m->fenced)
		return 0;
	if (m->joined && m->given == NULL && m->crowded_ms == 0)
		return 0;
	if (r->alone) {
		if (look_around(r, e) < 0)
			return -1;
		if (m->told && m->others > 0 && crowded(r, e) < 0) {
			leave(r);
			return -1;
		}
		if (!m->told || m->others > 0)
			return 0;
		m->crowded_ms = 0;
		if (!m->joined)
			return join(r, e);
	}
	if (m->given == NULL)
		return 0;
	if (r->alone && m->given->cnt < r->t->partitions) { /* it will be more */
		rd_kafka_assign(r->rk, NULL);
		drop_given(m);
		return 0;
	}
	return begin_share(r, e);
}

/* Waits for the coordinator's word. A share that was lost meanwhile is no failure: its next owner
 * does the same again. */
int member_store(struct kafka_reader *r, struct err *e)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_queue_t *queue;
	int64_t since = 0;
	int rc;

	if (r->failed)
		return err_set(e, ERR_SAFE, "topic %s: refused after an earlier failure",
			       r->t->name);
	if (r->rk == NULL) /* it could not be made: nothing was given since */
		return 0;
	list = moved(r);
	queue = rd_kafka_queue_new(r->rk);
	do
		rc = list->cnt > 0 ? commit(r, list, queue, &since, e) : 1;
	while (rc == 0);
	if (rc > 0)
		kafka_waited(r->k, &since, "position");
	for (int i = 0; i < list->cnt && rc > 0; i++)
		r->part[list->elems[i].partition].committed = list->elems[i].offset;
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_queue_destroy(queue);
	return rc < 0 ? -1 : 0;
}

int member_fenced(struct kafka_reader *r, const char *why, struct err *e)
{
	struct kafka_member *m = r->member;
	int64_t now = clock_monotonic();
	char text[LOG_VALUE];

	if (m->fenced)
		return 0;
	end_share(r);
	drop_given(m);
	if (m->fences == 0 || now - m->fence_ms > FENCED_WITHIN_MS) {
		m->fences = 0;
		m->fence_ms = now;
	}
	if (++m->fences > FENCED_MAX)
		return err_set(e, ERR_SAFE, "kafka: group %s: another program runs in our place (%s)", r->group, why);
	m->fenced = true;
	m->told = m->asking = false;
	m->again_ms = now + (int64_t)(m->fences - 1) * FENCED_PAUSE_MS;
	log_warn("BUS-FENCED", "group=%s times=%d why=%s", r->group, m->fences, log_value(text, why));
	return 0;
}

int member_mend(struct kafka_reader *r, struct err *e)
{
	struct kafka_member *m = r->member;

	assert(r->held_count == 0); /* messages are their handle's */
	if (!m->fenced || clock_monotonic() < m->again_ms)
		return 0;
	handle_end(r, CLOSE_MS);
	if (handle_new(r, e) < 0)
		return -1;
	m->fenced = m->joined = false;
	return r->alone ? 0 : join(r, e);
}

int member_err(const struct kafka_reader *r, rd_kafka_resp_err_t err, const char *why, struct err *e)
{
	bool topic = err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
	char what[KAFKA_NAME + 16];

	snprintf(what, sizeof what, "%s %s", topic ? "topic" : "group", topic ? r->t->name : r->group);
	return kafka_err(r->k, err, what, why, e);
}

/* ---- joining, and what the group says ---- */

static int handle_new(struct kafka_reader *r, struct err *e)
{
	if (kafka_handle(r->k, KAFKA_GROUP, r->group, set_rebalance, NULL, &r->rk, e) < 0)
		return -1;
	rd_kafka_poll_set_consumer(r->rk);
	return 0;
}

/* In bounded time, brokers or not. */
static void handle_end(struct kafka_reader *r, int64_t patience_ms)
{
	int64_t until = clock_monotonic() + patience_ms;
	rd_kafka_error_t *error;
	rd_kafka_queue_t *last;

	if (r->rk == NULL)
		return;
	last = rd_kafka_queue_new(r->rk);
	error = rd_kafka_consumer_close_queue(r->rk, last);
	while (error == NULL && !rd_kafka_consumer_closed(r->rk) && clock_monotonic() < until) {
		rd_kafka_message_t *message = rd_kafka_consume_queue(last, KAFKA_TURN_MS);

		if (message)
			rd_kafka_message_destroy(message);
	}
	if (error)
		rd_kafka_error_destroy(error);
	rd_kafka_queue_destroy(last);
	rd_kafka_destroy_flags(r->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	r->rk = NULL;
}

static int join(struct kafka_reader *r, struct err *e)
{
	rd_kafka_topic_partition_list_t *wanted = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(wanted, r->t->name, RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(r->rk, wanted);
	rd_kafka_topic_partition_list_destroy(wanted);
	if (err)
		return kafka_err(r->k, err, r->t->name, "subscribe", e);
	r->member->joined = true;
	return 0;
}

/* Says good-bye, so that the share goes to the others now and not when the session is over. */
static void leave(struct kafka_reader *r)
{
	int64_t until = clock_monotonic() + LEAVE_MS;

	r->member->closing = true;
	end_share(r);
	if (!r->member->joined || rd_kafka_unsubscribe(r->rk) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	while (clock_monotonic() < until) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(r->rk, KAFKA_TURN_MS);

		if (message)
			rd_kafka_message_destroy(message);
	}
}

static void set_rebalance(rd_kafka_conf_t *conf, void *arg)
{
	(void)arg;
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
}

/* Gets the bus; which reader it is shows by the handle. */
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
			 rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct kafka *k = opaque;
	struct kafka_reader *r = k->groups;

	while (r && r->rk != rk)
		r = r->next;
	if (r) {
		end_share(r);
		drop_given(r->member);
		r->member->told = r->member->asking = false;
	}
	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && r && !r->member->closing && !r->failed)
		r->member->given = rd_kafka_topic_partition_list_copy(list);
	else
		rd_kafka_assign(rk, NULL);
}

static void drop_given(struct kafka_member *m)
{
	if (m->given)
		rd_kafka_topic_partition_list_destroy(m->given);
	m->given = NULL;
	m->since_ms = 0;
}

/* What was fetched of the share and not given falls: whoever has it next begins at its position. */
static void end_share(struct kafka_reader *r)
{
	bool had = false;

	for (int i = 0; i < BUS_PARTITIONS_MAX; i++) {
		had = had || r->part[i].ours;
		r->part[i].ours = false;
	}
	r->share += had ? 1 : 0;
}

/* One try at a time: bus_read comes again, and its caller has other things to do meanwhile. */
static int begin_share(struct kafka_reader *r, struct err *e)
{
	struct kafka_member *m = r->member;
	rd_kafka_topic_partition_list_t *list = m->given;
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	struct err why = {0};
	int rc = 0;

	if (list->cnt > 0)
		err = rd_kafka_committed(r->rk, list, 5 * KAFKA_TURN_MS);
	for (int i = 0; i < list->cnt && err == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		err = list->elems[i].err;
	if (err) {
		member_err(r, err, "positions", &why);
		if (why.class == ERR_TEMP)
			return kafka_wait(r->k, &m->since_ms, "positions", e);
		*e = why;
		return -1;
	}
	kafka_waited(r->k, &m->since_ms, "positions");
	for (int i = 0; i < list->cnt && rc == 0; i++)
		rc = begin_part(r, &list->elems[i], e);
	if (rc == 0 && (err = rd_kafka_assign(r->rk, list)) != RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = kafka_err(r->k, err, r->group, "assign", e);
	if (rc < 0) {
		for (int i = 0; i < BUS_PARTITIONS_MAX; i++)
			r->part[i].ours = false;
		return -1;
	}
	r->share++;
	m->had_all = m->had_all || list->cnt == r->t->partitions;
	log_info("BUS-SHARE", "group=%s partitions=%d of=%d", r->group, list->cnt,
		 r->t->partitions);
	drop_given(m);
	return 0;
}

static int begin_part(struct kafka_reader *r, const rd_kafka_topic_partition_t *at, struct err *e)
{
	struct bus_position from = {.partition = at->partition, .next = at->offset};
	struct kafka_part *p;
	int64_t low;

	if (at->partition >= r->t->partitions)
		return err_set(e, ERR_SAFE,
			       "topic %s: it had %d partitions and has more now; their number is "
			       "fixed for a topic's life: make the topic as it was",
			       r->t->name, r->t->partitions);
	if (at->offset < 0)
		return err_set(e, ERR_SAFE,
			       "kafka: group %s has no position for partition %d of topic %s: the "
			       "first one is made by qiao topics create, once; if it had one, the "
			       "brokers forgot it (offsets.retention.minutes); never start over",
			       r->group, (int)at->partition, r->t->name);
	if (at->metadata_size != ID_HEX - 1 ||
	    id_parse(&from.last_id, (struct str){at->metadata, ID_HEX - 1}) < 0)
		return err_set(e, ERR_SAFE,
			       "kafka: group %s: position %lld of partition %d of topic %s was not "
			       "stored by Qiao (its metadata is no event id): find out who moved "
			       "it; never start over",
			       r->group, (long long)at->offset, (int)at->partition, r->t->name);
	p = &r->part[at->partition];
	if (look_check(r->k, r->t, &from, e) < 0 ||
	    look_ends(r->k, r->t, at->partition, &low, &p->share.end, e) < 0)
		return err_wrap(e, "group %s", r->group);
	p->ours = true;
	p->at = from;
	p->share.next = from.next;
	p->share.restored_end = 0;
	p->committed = from.next;
	p->gap = false;
	return 0;
}

/* ---- alone ---- */

/* Asks the brokers who is in the group, and takes their answer when it is there; never waits. By a
 * handle of its own, for the time of the question: the library keeps asking a coordinator that is one
 * no more. */
static int look_around(struct kafka_reader *r, struct err *e)
{
	struct kafka_member *m = r->member;
	int64_t now = clock_monotonic();
	const char *groups[] = {r->group};
	rd_kafka_AdminOptions_t *options;
	rd_kafka_event_t *event;
	int rc = 0;

	while (m->asker && (event = rd_kafka_queue_poll(m->answers, 0)) != NULL) {
		if (m->asking && rd_kafka_event_opaque(event) == (void *)m->question) {
			rc = count_others(r, event, e);
			m->asking = false;
		}
		rd_kafka_event_destroy(event);
		if (!m->asking)
			asker_end(m);
	}
	if (rc < 0 || m->asking || (m->told && m->others == 0))
		return rc;
	if (m->asked_ms && now - m->asked_ms < (m->told ? ASK_EVERY_MS : KAFKA_TURN_MS))
		return 0;
	m->asked_ms = now;
	if (m->asker == NULL) {
		if (kafka_handle(r->k, KAFKA_ADMIN, NULL, NULL, NULL, &m->asker, e) < 0)
			return -1;
		m->answers = rd_kafka_queue_new(m->asker);
	}
	m->asking = true;
	options = rd_kafka_AdminOptions_new(m->asker, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
	rd_kafka_AdminOptions_set_opaque(options, (void *)++m->question);
	rd_kafka_AdminOptions_set_request_timeout(options, ASKED_MS, NULL, 0);
	rd_kafka_DescribeConsumerGroups(m->asker, groups, 1, options, m->answers);
	rd_kafka_AdminOptions_destroy(options);
	return 0;
}

static void asker_end(struct kafka_member *m)
{
	if (m->asker == NULL)
		return;
	rd_kafka_queue_destroy(m->answers);
	rd_kafka_destroy(m->asker);
	m->asker = NULL;
	m->answers = NULL;
}

static int count_others(struct kafka_reader *r, rd_kafka_event_t *event, struct err *e)
{
	struct kafka_member *m = r->member;
	const rd_kafka_ConsumerGroupDescription_t **groups, *g = NULL;
	const rd_kafka_DescribeConsumerGroups_result_t *result;
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);
	struct err why = {0};
	size_t count = 0;

	result = rd_kafka_event_DescribeConsumerGroups_result(event);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR && result) {
		groups = rd_kafka_DescribeConsumerGroups_result_groups(result, &count);
		g = count == 1 ? groups[0] : NULL;
	}
	if (g && rd_kafka_ConsumerGroupDescription_error(g))
		err = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(g));
	if (err == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
		m->others = 0;
		m->told = m->first = true;
		return 0;
	}
	if (err || g == NULL) {
		member_err(r, err, "members", &why);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR || why.class == ERR_TEMP)
			return 0; /* asked again */
		*e = why;
		return -1;
	}
	m->others = 0;
	m->first = true;
	for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(g); i++) {
		const rd_kafka_MemberDescription_t *one =
			rd_kafka_ConsumerGroupDescription_member(g, i);
		const char *name = rd_kafka_MemberDescription_group_instance_id(one);
		int order = strcmp(name ? name : "", m->name);

		m->others += order != 0;
		m->first = m->first && order >= 0;
	}
	m->told = true;
	return 0;
}

/* Others are there. Who was alone before waits; of those who were not, the first by name waits for
 * what may be a dead member, or another that was refused. */
static int crowded(struct kafka_reader *r, struct err *e)
{
	struct kafka_member *m = r->member;
	int64_t now = clock_monotonic();

	if (m->crowded_ms == 0) {
		m->crowded_ms = now;
		log_warn("BUS-SHARE-WAIT", "group=%s others=%d", r->group, m->others);
	}
	if (m->given) { /* their share and ours: none is read */
		rd_kafka_assign(r->rk, NULL);
		drop_given(m);
	}
	if (m->had_all || ((!m->joined || m->first) && now - m->crowded_ms < ALONE_MS))
		return 0;
	return err_set(e, ERR_SAFE,
		       "kafka: group %s: another program reads as this group, and only one may "
		       "([tax] keys = none; one spool a [village] group): end one of them",
		       r->group);
}

/* ---- positions ---- */

static rd_kafka_topic_partition_list_t *moved(const struct kafka_reader *r)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(r->t->partitions);

	for (int i = 0; i < r->t->partitions; i++) {
		const struct kafka_part *p = &r->part[i];
		rd_kafka_topic_partition_t *at;
		char hex[ID_HEX];

		if (!p->ours || p->at.next == p->committed)
			continue;
		at = rd_kafka_topic_partition_list_add(list, r->t->name, i);
		at->offset = p->at.next;
		at->metadata = strdup(id_hex(&p->at.last_id, hex));
		assert(at->metadata);
		at->metadata_size = ID_HEX - 1;
	}
	return list;
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err,
		      rd_kafka_topic_partition_list_t *list, void *opaque)
{
	rd_kafka_resp_err_t *said = opaque;

	(void)rk;
	*said = err;
	for (int i = 0; list && err == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
		if (list->elems[i].err)
			*said = list->elems[i].err;
}

/* One try: 1 done, or the share was lost; 0 it is worth another one. It is always answered, by the
 * library itself where no broker does; what it says after we gave up falls with the queue. */
static int commit(struct kafka_reader *r, rd_kafka_topic_partition_list_t *list,
		  rd_kafka_queue_t *queue, int64_t *since, struct err *e)
{
	rd_kafka_resp_err_t said = RD_KAFKA_RESP_ERR__IN_PROGRESS, err;
	struct err why = {0};

	err = rd_kafka_commit_queue(r->rk, list, queue, on_commit, &said);
	if (err)
		said = err;
	while (said == RD_KAFKA_RESP_ERR__IN_PROGRESS) {
		rd_kafka_queue_poll_callback(queue, KAFKA_TURN_MS);
		if (said == RD_KAFKA_RESP_ERR__IN_PROGRESS &&
		    kafka_wait(r->k, since, "position", e) < 0)
			return -1;
	}
	switch (said) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return 1;
	case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
	case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
	case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
		/* What was fetched of it falls; the next polls bring the next share. */
		log_warn("BUS-SHARE-LOST", "topic=%s why=%s", r->t->topic->name,
			 rd_kafka_err2name(said));
		end_share(r);
		return 1;
	case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
	case RD_KAFKA_RESP_ERR__FATAL:
		r->failed = member_fenced(r, rd_kafka_err2name(said), e) < 0;
		return r->failed ? -1 : 1;
	default:
		member_err(r, said, "commit", &why);
		if (why.class == ERR_TEMP) {
			rd_kafka_queue_poll_callback(queue, KAFKA_TURN_MS); /* a pause */
			return kafka_wait(r->k, since, "position", e);
		}
		*e = why;
		return -1;
	}
}
