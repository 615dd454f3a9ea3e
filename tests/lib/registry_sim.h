/* A schema registry in a thread, with Confluent's interface and a memory, for what a real one would
 * not do when asked: go away, hang, forget, give its ids another meaning. Compares schemas by their
 * text, byte for byte. */
#ifndef QIAO_TESTS_REGISTRY_SIM_H
#define QIAO_TESTS_REGISTRY_SIM_H
#include <stdbool.h>
#include <stddef.h>

enum registry_mood {
	REGISTRY_UP,
	REGISTRY_DOWN, /* closes every connection */
	REGISTRY_HUNG, /* reads and says nothing */
	REGISTRY_MAD,  /* answers each request with 200 and a page */
};
struct registry_sim;
/* On a free port of 127.0.0.1; url is filled. Empty, level BACKWARD. */
struct registry_sim *registry_sim_start(char *url, size_t cap);
void registry_sim_stop(struct registry_sim *s);
void registry_sim_mood(struct registry_sim *s, enum registry_mood mood);
/* Goes DOWN for that many requests, then UP. */
void registry_sim_down_for(struct registry_sim *s, int requests);
/* A new version of the subject under that id. */
void registry_sim_put(struct registry_sim *s, const char *subject, int id, const char *text,
		      size_t len);
void registry_sim_swap(struct registry_sim *s, int id, int other); /* their schemas */
void registry_sim_forget(struct registry_sim *s, int id);
void registry_sim_level(struct registry_sim *s, const char *level);
/* What becomes of a question whether a schema is compatible, and of registering it. */
void registry_sim_refuse(struct registry_sim *s, bool question, bool registering);
int registry_sim_requests(struct registry_sim *s);
int registry_sim_registered(struct registry_sim *s); /* by POST, so far */

#endif
