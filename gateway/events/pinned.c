/* The schema texts, taken into the program byte for byte by the assembler: what is registered
 * and fingerprinted is what lies in schemas/. Paths are relative to the root of the repository,
 * which is on the include path. */
#include "events/types.h"

#define PIN(record)                                      \
	__asm__(".pushsection .rodata\n"                 \
		"pinned_" #record ":\n"                  \
		".incbin \"schemas/" #record ".avsc\"\n" \
		"pinned_end_" #record ":\n"              \
		".popsection\n");                        \
	extern const char pinned_##record[], pinned_end_##record[]

PIN(SubmissionOpened);
PIN(SubsidyDeclared);
PIN(SubmissionClosed);
PIN(GateDocuments);
PIN(SubsidyPlan);
PIN(Operation);
PIN(ContributionEnquiry);
PIN(ContributionStatus);
PIN(ContributionFeedReached);
PIN(SubsidyPayment);
PIN(PaymentReversal);
PIN(PaymentEnquiry);
PIN(CollectionResult);
PIN(CollectedSubsidy);
PIN(SubsidyRefunded);
PIN(AccountCredited);
PIN(CreditRefused);
PIN(AccountDebited);
PIN(DebitRefused);
PIN(CollectionStatistics);
PIN(RowAnswer);
PIN(SubmissionAnswer);
PIN(BookRequest);
PIN(BookOpened);
PIN(BookEntry);
PIN(BookClosed);
PIN(FeedPosition);
PIN(RejectedEvent);

static const struct {
	const char *from, *end;
} pinned[EVENT_TYPES] = {
	[EV_SUBMISSION_OPENED] = {pinned_SubmissionOpened, pinned_end_SubmissionOpened},
	[EV_SUBSIDY_DECLARED] = {pinned_SubsidyDeclared, pinned_end_SubsidyDeclared},
	[EV_SUBMISSION_CLOSED] = {pinned_SubmissionClosed, pinned_end_SubmissionClosed},
	[EV_GATE_DOCUMENTS] = {pinned_GateDocuments, pinned_end_GateDocuments},
	[EV_SUBSIDY_PLAN] = {pinned_SubsidyPlan, pinned_end_SubsidyPlan},
	[EV_OPERATION] = {pinned_Operation, pinned_end_Operation},
	[EV_CONTRIBUTION_ENQUIRY] = {pinned_ContributionEnquiry, pinned_end_ContributionEnquiry},
	[EV_CONTRIBUTION_STATUS] = {pinned_ContributionStatus, pinned_end_ContributionStatus},
	[EV_CONTRIBUTION_FEED_REACHED] = {pinned_ContributionFeedReached,
					  pinned_end_ContributionFeedReached},
	[EV_SUBSIDY_PAYMENT] = {pinned_SubsidyPayment, pinned_end_SubsidyPayment},
	[EV_PAYMENT_REVERSAL] = {pinned_PaymentReversal, pinned_end_PaymentReversal},
	[EV_PAYMENT_ENQUIRY] = {pinned_PaymentEnquiry, pinned_end_PaymentEnquiry},
	[EV_COLLECTION_RESULT] = {pinned_CollectionResult, pinned_end_CollectionResult},
	[EV_COLLECTED_SUBSIDY] = {pinned_CollectedSubsidy, pinned_end_CollectedSubsidy},
	[EV_SUBSIDY_REFUNDED] = {pinned_SubsidyRefunded, pinned_end_SubsidyRefunded},
	[EV_ACCOUNT_CREDITED] = {pinned_AccountCredited, pinned_end_AccountCredited},
	[EV_CREDIT_REFUSED] = {pinned_CreditRefused, pinned_end_CreditRefused},
	[EV_ACCOUNT_DEBITED] = {pinned_AccountDebited, pinned_end_AccountDebited},
	[EV_DEBIT_REFUSED] = {pinned_DebitRefused, pinned_end_DebitRefused},
	[EV_COLLECTION_STATISTICS] = {pinned_CollectionStatistics, pinned_end_CollectionStatistics},
	[EV_ROW_ANSWER] = {pinned_RowAnswer, pinned_end_RowAnswer},
	[EV_SUBMISSION_ANSWER] = {pinned_SubmissionAnswer, pinned_end_SubmissionAnswer},
	[EV_BOOK_REQUEST] = {pinned_BookRequest, pinned_end_BookRequest},
	[EV_BOOK_OPENED] = {pinned_BookOpened, pinned_end_BookOpened},
	[EV_BOOK_ENTRY] = {pinned_BookEntry, pinned_end_BookEntry},
	[EV_BOOK_CLOSED] = {pinned_BookClosed, pinned_end_BookClosed},
	[EV_FEED_POSITION] = {pinned_FeedPosition, pinned_end_FeedPosition},
	[EV_REJECTED_EVENT] = {pinned_RejectedEvent, pinned_end_RejectedEvent},
};

struct str pinned_schema(enum event_type t)
{
	return (struct str){pinned[t].from, (size_t)(pinned[t].end - pinned[t].from)};
}
