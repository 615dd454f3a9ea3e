/* The texts. What a person reads stands here and nowhere else, both languages side by side, so that
 * who changes one sees the other. Texts for clerks say what is wrong and what to do, without jargon. */
#include "base/text.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct text {
	const char *code, *zh, *en;
};

/* One row a code. Whoever adds a code adds it to its section; within a section the order is that of its enum or of the
 * path through the program, so that neighbours can be read together. */
static const struct text texts[] = {
	/* ---- row reasons: the message, and what the clerk does now under .cure ---- */
	{"name_missing", "姓名没有填", "the name is missing"},
	{"name_missing.cure", "补上姓名后重新提交", "fill in the name and send again"},
	{"name_unclear", "姓名里有无法识别的字符（如“?”“□”“*”）",
	 "the name holds characters that cannot be read (such as ? or *)"},
	{"name_unclear.cure", "按身份证上的姓名填写完整，生僻字不要用问号或拼音代替",
	 "write the full name as on the ID card, rare characters included"},
	{"cert_kind_unknown", "证件类型无法识别", "the kind of certificate is not known"},
	{"cert_kind_unknown.cure",
	 "填“居民身份证”“港澳台居民居住证”或“外国人永久居留身份证”；不填即居民身份证",
	 "name one of the three kinds; left empty it is a resident ID"},
	{"id_missing", "公民身份号码没有填", "the ID number is missing"},
	{"id_missing.cure", "补上18位公民身份号码后重新提交",
	 "fill in the 18-digit ID number and send again"},
	{"id_scientific", "身份号码被表格软件变成了科学计数（如3.30603E+17），后几位已丢失",
	 "the ID number became 3.30603E+17 in the spreadsheet; its last digits are lost"},
	{"id_scientific.cure", "把这一列设为“文本”格式，按身份证重新录入，不要只改格式",
	 "set the column to text and type the number anew from the card"},
	{"id_length", "身份号码不是18位", "the ID number does not have 18 places"},
	{"id_length.cure", "按身份证核对，填写完整的18位号码（旧的15位号码不能用）",
	 "copy all 18 places from the ID card (old 15-digit numbers cannot be used)"},
	{"id_characters", "身份号码里有数字和末位X以外的字符",
	 "the ID number holds something other than digits and a last X"},
	{"id_characters.cure", "删去多余字符，按身份证重新填写",
	 "take out what does not belong and copy the number from the ID card"},
	{"id_check_digit", "身份号码校验位不对，至少有一位填错了",
	 "the check digit of the ID number does not fit: at least one digit is wrong"},
	{"id_check_digit.cure", "对照身份证逐位核对，改正后重新提交",
	 "compare it with the ID card digit by digit, mend and send again"},
	{"id_birth_date", "身份号码中的出生日期不存在或不合理",
	 "the birth date in the ID number is not a possible one"},
	{"id_birth_date.cure", "对照身份证核对第7至14位",
	 "compare places 7 to 14 with the ID card"},
	{"id_suspicious_zeros", "身份号码以000结尾，很可能是表格软件改掉了末三位",
	 "the ID number ends in 000: most likely the spreadsheet changed its last digits"},
	{"id_suspicious_zeros.cure",
	 "把这一列设为“文本”格式后按身份证重新录入；如号码确实如此，请联系区社保经办机构",
	 "set the column to text and type the number anew; if it really ends so, ask the agency"},
	{"amount_missing", "补助金额没有填", "the amount is missing"},
	{"amount_missing.cure", "补上补助金额（元）后重新提交",
	 "fill in the amount in yuan and send again"},
	{"amount_not_a_number", "补助金额不是数字", "the amount is not a number"},
	{"amount_not_a_number.cure", "只填数字，如 500", "write digits only, such as 500"},
	{"amount_negative", "补助金额是负数", "the amount is negative"},
	{"amount_negative.cure", "填写正数；要撤回已报的补助请另办撤回",
	 "write a positive number; a withdrawal is a request of its own"},
	{"amount_zero", "补助金额是0", "the amount is zero"},
	{"amount_zero.cure", "填写补助金额；不补助的人员请从名册中删去",
	 "fill in the amount, or take the person out of the roster"},
	{"amount_fraction", "补助金额有不足一分的尾数", "the amount has a part below one fen"},
	{"amount_fraction.cure", "补助金额最多两位小数，改正后重新提交",
	 "write at most two decimals"},
	{"amount_too_large", "补助金额过大，无法受理", "the amount is too large to be one"},
	{"amount_too_large.cure", "核对是否多打了零或填错了列",
	 "look for extra zeros or a slipped column"},
	{"other_amount_not_a_number", "其他资助金额不是数字",
	 "the other subsidies' amount is not a number"},
	{"other_amount_not_a_number.cure", "只填数字，没有其他资助就留空",
	 "write digits only, or leave it empty"},
	{"tier_not_a_number", "个人缴费档次不是数字", "the contribution tier is not a number"},
	{"tier_not_a_number.cure", "只填数字（元），不清楚就留空",
	 "write digits only (yuan), or leave it empty"},
	{"date_unclear", "到账日期无法识别或晚于今天",
	 "the arrival date cannot be read or lies in the future"},
	{"date_unclear.cure", "按“2026-12-05”的样子填写，不清楚就留空",
	 "write it like 2026-12-05, or leave it empty"},
	{"member_unclear", "“是否集体经济组织成员”无法识别",
	 "member of the collective: neither yes nor no"},
	{"member_unclear.cure", "只填“是”或“否”", "write yes or no only"},
	{"member_missing", "没有填是否集体经济组织成员",
	 "whether the person is a member of the collective is missing"},
	{"member_missing.cure", "核实后填“是”或“否”", "find out and write yes or no"},
	{"not_a_member", "不是本集体经济组织成员，集体补助只发给成员",
	 "not a member of the collective: its subsidy is for members only"},
	{"not_a_member.cure", "核实成员身份；不是成员的请从名册中删去",
	 "check the membership; take out who is not a member"},
	{"amount_above_cap_a", "补助金额超过当年最高缴费档次",
	 "the amount is above the year's highest contribution tier"},
	{"amount_above_cap_a.cure", "把金额降到最高缴费档次以内，并与补助实施方案一致",
	 "lower the amount to the highest tier or less, as the plan says"},
	{"amount_not_in_plan", "补助金额不是本村（居）备案方案中的标准",
	 "the amount is none of the standards of the village's filed plan"},
	{"amount_not_in_plan.cure", "按备案方案的标准填写；标准有变的先变更方案并重新备案",
	 "use a standard of the filed plan, or have the plan changed and filed first"},
	{"amount_not_advised", "提示：补助金额不在建议的五个档次内（照常办理）",
	 "note: the amount is none of the five advised ones (it goes on)"},
	{"amount_not_advised.cure", "无需处理；如系填错请改正后重新提交",
	 "nothing; if it is a slip, mend and send again"},
	{"other_amount_differs", "提示：填写的其他资助金额与系统记录不一致（照常办理）",
	 "note: the stated other subsidies differ from what is recorded (it goes on)"},
	{"other_amount_differs.cure", "请与其他资助方核对；此栏不影响本次补助",
	 "ask the other sponsors; this column changes nothing here"},
	{"other_collective_too", "提示：另一村（居）集体也为此人申报了本年度补助（照常办理）",
	 "note: another village's collective declared this person for the year too (it goes on)"},
	{"other_collective_too.cure", "请与对方村（居）核实成员身份",
	 "settle with the other village where the person is a member"},
	{"cap_b_exceeded", "加上其他补助和资助，超过当年最高缴费档次；还可补助{0}元",
	 "with all other subsidies this is above the year's highest tier; {0} yuan are left"},
	{"cap_b_exceeded.cure", "把金额降到{0}元以内再提交，或与其他资助方商量",
	 "lower the amount to {0} yuan or less, or talk to the other sponsors"},
	{"duplicate_row", "同一名册中此人重复（金额相同），只算第一行",
	 "the person is in this roster twice with the same amount: the first row counts"},
	{"duplicate_row.cure", "无需处理；可把重复的一行删去",
	 "nothing; the second row may be taken out"},
	{"conflicting_rows", "同一名册中此人出现多次且金额不同，都未受理",
	 "the person is in this roster with different amounts: none was taken"},
	{"conflicting_rows.cure", "核实后只留一行正确的，重新提交",
	 "keep the one right row and send again"},
	{"already_filed", "此人本年度的补助已由{0}申报，不重复办理",
	 "this person's subsidy of the year was declared already by {0}"},
	{"already_filed.cure", "无需处理；如认为有误，请用回执编号查询",
	 "nothing; if this seems wrong, ask with the receipt number"},
	{"already_filed_other_amount", "此人本年度的补助已由{0}申报，且金额不同，不重复办理",
	 "this person's subsidy of the year was declared already by {0} with another amount"},
	{"already_filed_other_amount.cure", "按先前的申报办理；要改金额请先撤回先前的一笔",
	 "the first one stands; to change the amount withdraw it first"},
	{"already_accepted", "此行先前已受理，继续办理，不会重复缴纳",
	 "this row was taken before and goes on; it is not paid twice"},
	{"already_accepted.cure", "无需处理", "nothing"},
	{"total_mismatch", "合计行与各行之和不一致",
	 "the total line differs from the sum of the rows"},
	{"total_mismatch.cure", "核对是否漏行、多行或金额填错",
	 "look for missing or extra rows or a wrong amount"},
	{"contribution_missing", "还没有查到此人本年度的个人缴费",
	 "no contribution of this person for this year is known yet"},
	{"contribution_missing.cure", "请提醒本人尽快缴纳本年度保费；缴费到账后自动继续",
	 "remind the person to pay this year's contribution; it goes on by itself then"},
	{"contribution_not_arrived", "此人本年度的个人缴费尚未到账",
	 "this year's contribution has not arrived yet"},
	{"contribution_not_arrived.cure", "无需重新提交；到账后自动继续",
	 "nothing; it goes on by itself when the money has arrived"},
	{"contribution_refunded", "此人本年度的个人缴费已退费",
	 "this year's contribution was refunded"},
	{"contribution_refunded.cure", "请本人到社保经办机构了解情况；重新缴费后可再申报",
	 "the person should ask the agency; declare again after a new contribution"},
	{"contribution_not_in_time", "到截止日此人本年度的个人缴费仍未到账，不能补助",
	 "this year's contribution had not arrived by the last day"},
	{"contribution_not_in_time.cure", "本年度不再办理；请提醒本人来年按时缴费",
	 "nothing more this year; remind the person to pay in time next year"},
	{"back_payment_only", "此人本年度只有一次性补缴，补缴的年限不享受集体补助",
	 "only a one-off back-payment covers this year: no subsidy for such years"},
	{"back_payment_only.cure", "如本人另缴了本年度保费，到账后再申报；否则从名册中删去",
	 "declare again if a normal contribution of this year is paid, else take the person out"},
	{"past_year_only", "此人只缴了以往年度，不对以往年度补助",
	 "only past years were paid: no subsidy for past years"},
	{"past_year_only.cure", "从名册中删去", "take the person out"},
	{"drawing_pension", "此人已领取养老待遇，不享受集体补助",
	 "the person draws a pension already: no subsidy"},
	{"drawing_pension.cure", "从名册中删去；如认为有误，请本人咨询社保经办机构",
	 "take the person out; if this seems wrong, ask the agency"},
	{"not_insured", "此人没有参加城乡居民基本养老保险",
	 "the person is not insured in the residents' pension"},
	{"not_insured.cure", "请本人先办理参保并缴费，再申报",
	 "the person must enrol and pay first"},
	{"paid_by_government", "此人本年度保费由政府代缴，按现行政策不补助",
	 "the government pays this year's contribution: no subsidy by the policy"},
	{"paid_by_government.cure", "从名册中删去；如有疑问请咨询区社保经办机构",
	 "take the person out; ask the agency in doubt"},
	{"not_filed_in_time", "到申报截止日手续仍不齐，本年度不再办理",
	 "the papers were not complete by the last filing day"},
	{"not_filed_in_time.cure", "本年度不再办理；来年请尽早备齐材料",
	 "nothing more this year; start earlier next year"},
	{"tax_unknown_account", "税务部门查不到此人的缴费账户",
	 "the tax bureau knows no account of this person"},
	{"tax_unknown_account.cure", "请本人核对参保登记信息，办妥后重新申报",
	 "the person should check the registration, then declare again"},
	{"tax_name_mismatch", "税务部门登记的姓名与名册不一致",
	 "the name at the tax bureau differs from the roster's"},
	{"tax_name_mismatch.cure", "对照身份证核对姓名；更正后重新申报",
	 "compare the name with the ID card, mend and declare again"},
	{"tax_payer_unknown", "税务部门查不到缴费单位（统一社会信用代码）",
	 "the tax bureau does not know the payer (credit code)"},
	{"tax_payer_unknown.cure", "核对本单位的统一社会信用代码，到税务窗口登记后重新申报",
	 "check the credit code, register with the tax bureau, declare again"},
	{"tax_refused", "税务部门没有受理这笔缴费", "the tax bureau did not take this payment"},
	{"tax_refused.cure", "请带回执编号到区税务局窗口了解原因",
	 "ask the tax bureau with the receipt number"},

	/* ---- file reasons ---- */
	{"file_empty", "文件是空的", "the file is empty"},
	{"file_empty.cure", "确认名册已保存后重新提交", "save the roster and send it again"},
	{"file_is_workbook", "这是Excel工作簿，不是CSV文件", "this is a workbook, not a CSV file"},
	{"file_is_workbook.cure", "在Excel或WPS中“另存为”CSV（逗号分隔）后提交；只改扩展名没有用",
	 "save it as CSV in the spreadsheet; renaming it does not help"},
	{"file_not_text", "这不是文本文件", "this is not a text file"},
	{"file_not_text.cure", "在Excel或WPS中“另存为”CSV（逗号分隔）后提交",
	 "save the roster as CSV and send that"},
	{"file_undecodable", "第{0}行附近的文字无法识别：既不是UTF-8，也不是GB18030（GBK）",
	 "the characters near line {0} are neither UTF-8 nor GB18030"},
	{"file_undecodable.cure", "用Excel或WPS重新打开原表，另存为“CSV UTF-8”后提交",
	 "open the original table again and save it as CSV UTF-8"},
	{"file_too_large", "文件超过上限（{0}KiB）", "the file is larger than {0} KiB"},
	{"file_too_large.cure", "分成几份名册提交；如果确实需要，请联系区社保经办机构调高上限",
	 "split the roster, or ask the agency to raise the limit"},
	{"roster_no_header", "没有找到名册的表头行，缺少这些栏目：{0}",
	 "no header row was found; these columns are missing: {0}"},
	{"roster_no_header.cure", "名册要有一行栏目名称，至少包括“姓名”“公民身份号码”“补助金额”",
	 "the roster needs a row of headings with at least name, ID number and amount"},
	{"roster_no_rows", "名册里没有人员", "the roster has no rows"},
	{"roster_no_rows.cure", "确认人员在表头行以下、合计行以上",
	 "put the persons below the header row and above the total"},
	{"roster_too_many_rows", "名册超过{0}行", "the roster has more than {0} rows"},
	{"roster_too_many_rows.cure", "分成几份名册提交", "split it into several rosters"},
	{"roster_record_too_long", "第{0}行太长，很可能少了一个引号",
	 "row {0} is too long: most likely a quotation mark is missing"},
	{"roster_record_too_long.cure", "查看这一行里的引号，改正后重新提交",
	 "look at the quotation marks in that row and send again"},
	{"roster_rows_after_total", "合计行或落款之后，第{0}行还有人员",
	 "row {0} holds a person behind the total or the foot"},
	{"roster_rows_after_total.cure", "把人员都移到合计行以上，核对合计后重新提交",
	 "move all persons above the total, check the total, send again"},
	{"year_missing", "没有填补助年度，或看不清", "the year is missing or cannot be read"},
	{"year_missing.cure", "在表头行上方写明，如“补助年度：2026年”",
	 "write it above the header row"},
	{"year_unknown", "{0}年的补助政策没有发布，不能受理", "there is no policy for {0}"},
	{"year_unknown.cure", "核对补助年度；年度无误的，请等政策发布后再提交",
	 "check the year; if it is right, send again when the policy is out"},
	{"village_missing", "没有填村（居）", "the village is missing"},
	{"village_missing.cure", "在表头行上方写明乡镇（街道）和村（居）全称，或填12位村（居）代码",
	 "write town and village above the header row, or the 12-digit code"},
	{"cover_not_json", "不是合格的JSON文本", "not valid JSON"},
	{"cover_not_json.cure", "对照封面资料样例，检查引号、逗号和括号",
	 "compare it with the sample: quotes, commas, brackets"},
	{"cover_too_large", "封面资料超过{0}KiB", "the cover is larger than {0} KiB"},
	{"cover_too_large.cure", "只填样例中的内容，附件不用放进来",
	 "put in what the sample has, no attachments"},
	{"cover_version", "应为 1", "must be 1"},
	{"cover_key_unknown", "没有这一项", "no such key"},
	{"cover_key_unknown.cure", "核对拼写，或删去", "check the spelling or take it out"},
	{"cover_digest", "应为64位十六进制的SHA-256摘要",
	 "must be a SHA-256 digest of 64 hex digits"},
	{"cover_digest.cure", "名册的摘要从名册回执的“名册摘要”一行复制",
	 "copy the roster's digest from its answer file"},
	{"cover_year", "应为年度，如 2026", "must be a year such as 2026"},
	{"cover_year_unknown", "这个年度的补助政策没有发布", "there is no policy for this year"},
	{"cover_year_unknown.cure", "核对年度", "check the year"},
	{"cover_sponsor", "没有填资助方", "the sponsor is missing"},
	{"cover_sponsor.cure", "对照样例填写 type 和 code（个人填 id_number 和 name）",
	 "fill in type and code (for an individual id_number and name), as in the sample"},
	{"cover_sponsor_unknown", "没有这种资助方类型", "no such type of sponsor"},
	{"cover_sponsor_unknown.cure",
	 "只能是 collective、committee、organization、charity、individual 之一",
	 "one of collective, committee, organization, charity, individual"},
	{"cover_standards", "应为补助标准的列表，最多16项",
	 "must be a list of at most 16 standards"},
	{"cover_standards.cure", "如 [\"500.00\", \"600\"]，单位为元",
	 "such as [\"500.00\", \"600\"], in yuan"},
	{"cover_gates", "应为各项手续的列表", "must be the list of gates"},
	{"cover_gates.cure", "对照样例，每项手续一个对象", "one object a gate, as in the sample"},
	{"cover_gate", "应为一项手续", "must be a gate"},
	{"cover_gate.cure", "对照样例填写 gate 和 date", "fill in gate and date, as in the sample"},
	{"cover_gate_unknown", "没有这项手续", "no such gate"},
	{"cover_gate_unknown.cure",
	 "只能是 "
	 "plan_agreed、plan_posted、plan_filed_town、plan_filed_ssa、agreement、ssa_"
	 "check、vote、posting、town_approval、"
	 "filed 之一",
	 "one of plan_agreed, plan_posted, plan_filed_town, plan_filed_ssa, agreement, ssa_check, "
	 "vote, posting, "
	 "town_approval, filed"},
	{"cover_gate_twice", "这项手续出现了两次", "this gate is there twice"},
	{"cover_gate_twice.cure", "只留一项", "keep one"},
	{"cover_date", "应为日期，如 2026-11-01", "must be a date such as 2026-11-01"},
	{"cover_until", "只有公示才有结束日期", "only a posting has a last day"},
	{"cover_until.cure", "删去或填 null", "take it out or write null"},
	{"cover_boolean", "应为 true 或 false", "must be true or false"},
	{"cover_text", "应为200字以内的文字或 null",
	 "must be a text of at most 200 characters, or null"},
	{"village_unknown", "没有找到这个村（居）", "no such village"},
	{"village_unknown.cure", "按全称填写，如“管墅社区居委会”，或填12位村（居）代码",
	 "write the full name or the 12-digit code"},
	{"village_ambiguous", "村（居）名称不够明确，同名的有：{0}",
	 "the village's name is not unique: {0}"},
	{"village_ambiguous.cure", "写明所属镇（街道）和全称", "write the town and the full name"},
	{"town_unknown", "没有找到这个镇（街道）", "no such town"},
	{"town_unknown.cure", "按全称填写，如“柯桥街道”", "write the full name"},
	{"credit_code_missing", "统一社会信用代码没有填", "the credit code is missing"},
	{"credit_code_missing.cure", "补上18位统一社会信用代码",
	 "fill in the 18-place credit code"},
	{"credit_code_length", "统一社会信用代码不是18位",
	 "the credit code does not have 18 places"},
	{"credit_code_length.cure", "按登记证书核对", "copy it from the certificate"},
	{"credit_code_characters", "统一社会信用代码里有不该有的字符",
	 "the credit code holds characters that it cannot have"},
	{"credit_code_characters.cure", "按登记证书核对，没有字母I、O、S、V、Z",
	 "copy it from the certificate; it has no I, O, S, V, Z"},
	{"credit_code_check", "统一社会信用代码校验位不对",
	 "the check character of the credit code does not fit"},
	{"credit_code_check.cure", "按登记证书逐位核对",
	 "compare it with the certificate place by place"},

	/* ---- gates ---- */
	{"plan_agreed", "方案议定", "plan agreed"},
	{"plan_posted", "方案公示", "plan posted"},
	{"plan_filed_town", "方案报镇（街道）备案", "plan filed with the town"},
	{"plan_filed_ssa", "方案报社保备案", "plan filed with the agency"},
	{"agreement", "资助协议备案", "sponsor's agreement filed"},
	{"ssa_check", "社保核查", "checked by the agency"},
	{"vote", "代表大会表决", "vote of the representatives"},
	{"posting", "名单公示", "roster posted"},
	{"town_approval", "镇（街道）三资办审核", "approved by the town"},
	{"filed", "税务申报", "filed with the tax bureau"},
	{"gate_missing", "“{0}”的材料还没有收到", "the papers of '{0}' have not come yet"},
	{"gate_missing.cure", "补交这项材料即可，名册不用重交",
	 "send the missing papers; the roster need not be sent again"},
	{"gate_in_future", "“{0}”的日期还没有到", "the date of '{0}' lies in the future"},
	{"gate_in_future.cure", "到期后再交一次封面材料，或改正日期",
	 "send the cover again on that day, or mend the date"},
	{"gate_roster_not_cited", "“{0}”的材料所指的不是这份名册",
	 "the papers of '{0}' are not about this roster"},
	{"gate_roster_not_cited.cure", "核对材料与名册是否同一版本，按最终名册补交",
	 "send papers that were made for this very roster"},
	{"gate_out_of_order", "“{0}”的日期早于前一道手续",
	 "'{0}' is dated before the step that must precede it"},
	{"gate_out_of_order.cure", "核对日期；确系次序颠倒的须重新履行手续",
	 "check the dates; steps taken in the wrong order must be taken again"},
	{"posting_too_short", "名单公示不足规定的工作日",
	 "the roster was posted for fewer working days than the rules ask"},
	{"posting_too_short.cure", "重新公示满规定的工作日后再申报",
	 "post it again for the full time, then file again"},
	{"filed_too_late", "申报晚于本年度截止日", "filed after the last filing day of the year"},
	{"filed_too_late.cure", "本年度不再办理", "nothing more this year"},
	{"calendar_unknown", "公示期所在年份的放假安排未知，无法计算工作日",
	 "the working days of the posting's year are not known"},
	{"calendar_unknown.cure", "请联系区社保经办机构更新放假安排",
	 "ask the agency to add the holiday notice"},
	{"filed_in_other_year", "申报日期不在补助年度内",
	 "filed in another year than the subsidy's"},
	{"filed_in_other_year.cure", "核对补助年度和申报日期",
	 "check the year and the filing date"},

	/* ---- payment states ---- */
	/* Also columns of the statement and, with a cure, reasons of a row. */
	{"staged", "等待手续", "waiting for the papers"},
	{"rejected", "需改正", "to be mended"},
	{"pending", "等待缴费到账", "waiting for the contribution"},
	{"instructed", "已送税务", "sent to the tax bureau"},
	{"accepted", "税务已受理", "taken by the tax bureau"},
	{"paid", "已缴费", "paid"},
	{"in_treasury", "已入国库", "in the treasury"},
	{"credited", "已记入个人账户", "credited to the account"},
	{"credit_refused", "社保未能记账", "the agency could not credit it"},
	{"credit_refused.cure", "请等候区社保经办机构处理，钱已在册，不会丢失",
	 "wait for the agency to settle it; the money is on the books"},
	{"failed", "税务未受理", "refused by the tax bureau"},
	{"in_doubt", "结果核实中", "outcome being asked for"},
	{"refund_requested", "正在退款", "refund requested"},
	{"refund_in_doubt", "退款结果核实中", "refund being asked for"},
	{"refunded", "已退款", "refunded"},
	{"expired", "已过期，本年度不再办理", "expired: nothing more this year"},
	{"expired.cure", "本年度不再办理；来年可重新申报",
	 "nothing more this year; declare again next year"},
	{"withdrawn", "已撤回", "withdrawn"},
	{"withdrawn.cure", "如需补助请重新申报", "declare again if it is wanted after all"},
	{"in_flight", "税务办理中", "with the tax bureau"},
	{"awaiting_credit", "等待记账", "awaiting credit"},
	{"unreadable", "金额无法识别", "amount unreadable"},
	{"declared", "已申报", "declared"},
	{"fed_back", "已反馈社保", "fed back to the agency"},
	{"doubt", "结果不明", "outcome unknown"},
	{"refund_doubt", "退款结果不明", "refund's outcome unknown"},
	{"debited", "已从账户扣回", "taken off the account"},
	{"debit_refused", "社保未能扣回", "the agency could not take it off"},

	/* ---- answers ---- */
	{"answer_title", "集体补助人员名册回执", "answer to the roster"},
	{"answer_receipt", "收件号：", "receipt: "},
	{"answer_digest", "名册摘要（SHA-256）：", "digest (SHA-256): "},
	{"answer_counts_received", "名册共{0}行", "{0} rows"},
	{"answer_counts",
	 "名册共{0}行，{1}元；已受理{2}行，{3}元；需修改{4}行；等待{5}行；已到账{6}行，{7}元",
	 "{0} rows, {1} yuan; accepted {2}, {3} yuan; to be mended {4}; waiting {5}; done {6}, {7} "
	 "yuan"},
	{"answer_state", "办理情况：", "state: "},
	{"answer_next", "下一步：", "next: "},
	{"answer_mend",
	 "改正“需修改”的行后重新提交（可直接改本回执，另存为CSV，再放回文件夹；未改的行不会重复办理"
	 "）。",
	 "mend the rows marked so and send again (this file will do; other rows are not done "
	 "twice). "},
	{"answer_deadline", "截止日期：", "by: "},
	{"result_received", "已收到", "received"},
	{"result_accepted", "已受理", "accepted"},
	{"result_mend", "需修改", "to be mended"},
	{"result_waiting", "等待", "waiting"},
	{"result_done", "已到账", "done"},
	{"result_stopped", "已终止", "stopped"},
	{"submission_received", "已收到，正在核对", "received, being checked"},
	{"submission_received.cure", "无需处理，稍后再看本回执",
	 "nothing; look at this file again later"},
	{"submission_checked", "正在核对个人缴费情况", "being checked with the agency"},
	{"submission_checked.cure", "无需处理，稍后再看本回执",
	 "nothing; look at this file again later"},
	{"submission_waiting", "已核对，等待手续材料", "checked, waiting for the papers"},
	{"submission_waiting.cure", "提交封面材料（引用上面的名册摘要）",
	 "send the cover (it cites the digest above)"},
	{"submission_held", "已核对，手续不齐，暂缓", "checked, held because papers are missing"},
	{"submission_held.cure", "补齐手续后再交一份封面材料，名册不用重交",
	 "complete the papers and send a new cover; the roster stays"},
	{"submission_refused", "手续不合规定，不能申报",
	 "refused: the papers do not meet the rules"},
	{"submission_refused.cure", "改正后重新申报", "correct them and file again"},
	{"submission_filed", "已申报，正在办理", "filed, under way"},
	{"submission_filed.cure", "无需处理，稍后再看本回执",
	 "nothing; look at this file again later"},
	{"submission_final", "全部办结", "all done"},
	{"submission_final.cure", "无需处理", "nothing"},

	/* ---- columns ---- */
	{"serial", "序号", "no."},
	{"name", "姓名", "name"},
	{"certificate_kind", "证件类型", "certificate"},
	{"id_number", "公民身份号码", "ID number"},
	{"ssa_number", "社保编号", "social-security no."},
	{"tier", "个人缴费档次", "contribution tier"},
	{"arrived_on", "个人缴费到账日期", "contribution arrived on"},
	{"amount", "补助金额", "amount"},
	{"other_amount", "其他资助金额", "other subsidies"},
	{"member", "是否集体经济组织成员", "member of the collective"},
	{"phone", "联系电话", "phone"},
	{"note", "备注", "note"},
	/* sponsor types */
	{"collective", "村（居）集体经济组织", "village or community collective"},
	{"committee", "村（居）民委员会", "village or residents' committee"},
	{"organization", "其他社会经济组织", "other economic organisation"},
	{"charity", "公益慈善组织", "charity"},
	{"individual", "个人", "individual"},

	/* ---- commands ---- */
	{"yes", "是", "yes"},
	{"no", "否", "no"},
	{"role_starting", "正在启动", "starting"},
	{"role_running", "运行中", "running"},
	{"role_stopped", "已停止", "stopped"},
	{"role_failed", "出错停止", "failed"},
	{"role_killed", "意外中断", "ended unexpectedly"},
	{"peer_up", "连接正常", "up"},
	{"peer_slow", "响应缓慢", "slow"},
	{"peer_open", "连接中断", "down"},
	{"role_held", "停下等人处理", "held"},
	{"role_unknown", "从未启动", "never started"},
	{"peer_unknown", "未知", "not known"},

	{"help_usage",
	 "用法：qiao [-c 配置文件] [--lang zh|en] [--format text|json] 命令 ...\n\n"
	 "“桥”把村（居）集体补助名册送到税务征收系统和社保经办机构，再把征收和入账结果送回来。",
	 "usage: qiao [-c FILE] [--lang zh|en] [--format text|json] COMMAND ...\n\n"
	 "Qiao carries rosters of pension subsidies from villages to the tax bureau and the "
	 "social-security\n"
	 "agency, and carries back what was collected and credited."},
	{"help_set_up", "安装和启动（按此顺序）：", "To set up, in this order:"},
	{"help_every_day", "日常使用：", "Every day:"},
	{"help_care", "维护：", "To take care:"},
	{"help_foot",
	 "每个命令的说明：qiao 命令 --help。不写 -c 时，先找当前目录的 qiao.ini，再找 "
	 "config/qiao.ini。\n"
	 "退出状态：0 是；1 否，或需要人处理；2 用法或配置有误；3 请稍后再试；4 为安全而停止。",
	 "Each command explains itself: qiao COMMAND --help. Without -c the configuration is "
	 "./qiao.ini, else\n"
	 "config/qiao.ini. Exit status: 0 yes; 1 no, or a person must do something; 2 usage or "
	 "configuration;\n"
	 "3 try later; 4 stopped to stay safe."},
	{"usage_command", "没有“{0}”这个命令（qiao --help 列出全部命令）",
	 "no command {0} (qiao --help lists them)"},
	{"usage_global", "{0}：不能是“{1}”（见 qiao --help）",
	 "{0}: cannot be \"{1}\" (see qiao --help)"},
	{"usage_output", "结果没有写出去（输出已满或已关闭）",
	 "the result could not be written (output full or closed)"},
	{"usage_no_file",
	 "没有找到 qiao.ini；用 -c 指定，或先生成一份：qiao config --reference > qiao.ini",
	 "no qiao.ini here: name one with -c, or begin with: qiao config --reference > qiao.ini"},
	{"usage_head", "{0} 的用法：", "how to use {0}:"},
	{"usage_option", "没有“{0}”这个选项", "no option {0}"},
	{"usage_value", "{0} 后面要有值", "{0} needs a value"},
	{"usage_no_value", "{0} 后面不能有值", "{0} takes no value"},
	{"usage_unexpected", "多余的参数：{0}", "unexpected: {0}"},

	{"cmd_check", "检查配置、规则、密钥、目录和程序，一次列出全部错误",
	 "look for errors everywhere, before anything is started"},
	{"cmd_check.help",
	 "读取配置文件和它指向的一切：政策、日历、村（居）名单、密钥（如已生成）、数据目录、各程序"
	 "。\n"
	 "每个错误一行，带文件名和行号；全部列出，不止第一个。不改动任何东西。\n\n"
	 "退出状态：0 没有错误；2 有错误。",
	 "Reads the configuration and all that it names: policies, calendar, villages, keys (once "
	 "they are\n"
	 "there), data folder, programs. One line an error, with file and line, all of them. "
	 "Changes nothing.\n\n"
	 "Exit status: 0 no error; 2 errors."},
	{"check_ok", "ok", "ok"},
	{"check_more", "还有 {0} 个错误", "and {0} more"},
	{"check_no_keys", "还没有密钥（生成：qiao keygen）",
	 "no keys yet (make them: qiao keygen)"},
	{"check_users", "各程序用各自的用户运行：密钥由程序启动时自查",
	 "each program has a user of its own and checks its keys at start"},
	{"check_no_data", "数据目录还没有初始化（qiao init）", "not initialised yet (qiao init)"},

	{"cmd_config", "显示生效的设置，或带说明的全部设置",
	 "show the settings in force, or all with their explanations"},
	{"cmd_config.help",
	 "不带选项：显示全部设置的当前值，凡是配置文件里写了的注明行号；输出本身就是一份配置文件。"
	 "\n"
	 "--reference：带说明的全部设置和默认值，可作为自己的配置的起点：\n"
	 "  qiao config --reference > qiao.ini",
	 "Without an option: every setting as it is in force, with the line where the file sets "
	 "it; the output is a\n"
	 "configuration file again. --reference: every setting explained, with its default; begin "
	 "with\n"
	 "  qiao config --reference > qiao.ini"},

	{"cmd_keygen", "生成缺少的密钥（从不更改或显示已有的）",
	 "make the keys that are missing (never changes or shows one)"},
	{"cmd_keygen.help",
	 "在 [keys] dir "
	 "下给每个角色一个目录，只放它用得着的密钥：身份代码密钥、每年一把的封存密钥、收件封存密钥"
	 "。\n"
	 "--years "
	 "2024-2026：封存密钥的年份；不写则按已有的政策文件。已有的密钥不动，缺的年份补上。\n"
	 "密钥丢失后，封存的身份再也打不开：请离线另存一份。",
	 "Makes a folder for each role under [keys] dir with only what that role needs: the token "
	 "key, a seal key a\n"
	 "year, the spool key. --years 2024-2026 names the years of the seal keys; the default are "
	 "those of the\n"
	 "policy files. Existing keys stay, missing years are added. Without its key a sealed "
	 "identity can never be\n"
	 "opened again: keep a copy of the keys off this machine."},
	{"keygen_years", "--years 要写成 2024-2026 或 2026", "--years: expected 2024-2026 or 2026"},
	{"keygen_made", "已生成 {0}", "made {0}"},
	{"keygen_nothing", "{0} 中什么都不缺，没有改动",
	 "nothing was missing in {0}; nothing was changed"},
	{"keygen_keep", "请把 {0} 离线另存一份：备份命令不包含密钥",
	 "keep a copy of {0} off this machine: backups hold no keys"},

	{"cmd_init", "第一次使用前初始化数据目录",
	 "make the data folder, once, before the first run"},
	{"cmd_init.help",
	 "建立数据目录、总线的全部主题和空的总账。只做一次：凡是已有数据，一律拒绝，什么也不改。\n"
	 "程序找不到总账或总线时会停下来，不会自己从头开始；要从备份恢复，把备份复制到空的数据目录"
	 "即可，不用本命令。",
	 "Makes the data folder, the topics of the bus and an empty ledger. Once only: where there "
	 "are data already it\n"
	 "refuses and changes nothing. A program that finds no ledger or no bus stops and never "
	 "begins anew by itself.\n"
	 "To restore a backup, copy it to an empty data folder; that needs no init."},
	{"init_exists",
	 "这里已有数据，没有改动。如果上一次初始化中途断了、从未运行过，先移走数据目录再试",
	 "there are data here already; nothing was changed. After an init that was cut short, and "
	 "only before any run: "
	 "move the data folder away and try again"},
	{"init_done", "已初始化：{0}。名册放入 {1}/<报送单位>/；启动：qiao run",
	 "initialised: {0}. Rosters go into {1}/<sender>/; start with: qiao run"},

	{"cmd_run", "启动并看管四个程序", "start the four programs and look after them"},
	{"cmd_run.help",
	 "启动 [run] programs 里的程序，在终端显示每件事；程序意外结束就重新启动，间隔逐次加倍。\n"
	 "程序因配置有误（2）或为安全停止（4）而结束时不再启动，其余照常；处理后重新运行本命令。\n"
	 "Ctrl-C 或 SIGTERM：按相反顺序停下全部程序。SIGHUP：重新打开日志。\n"
	 "也可以不用本命令，把每个程序作为系统服务单独运行。",
	 "Starts the programs of [run] programs and prints a line for each event. A program that "
	 "ends is started again,\n"
	 "after a pause that doubles. One that ends because of its configuration (2) or to stay "
	 "safe (4) is not: the\n"
	 "others go on; see to the cause and start again. Ctrl-C or SIGTERM stops all in the "
	 "opposite order; SIGHUP\n"
	 "reopens the logs. Each program may as well be run by itself, as a service of the "
	 "system.\n\n"
	 "Exit status: 0 stopped as asked; 2 configuration; 4 a program had to stay down."},
	{"run_started", "{0} 已启动，进程 {1}", "{0} started, process {1}"},
	{"run_ready", "{0} 就绪，用时 {1} 毫秒", "{0} ready after {1} ms"},
	{"run_restarting", "{0} 意外结束（{2}），{1} 毫秒后重新启动",
	 "{0} ended ({2}), restarting in {1} ms"},
	{"run_no_process", "{0} 无法启动（系统资源不足），{1} 毫秒后再试",
	 "{0}: no process or descriptor left, again in {1} ms"},
	{"run_held_conf",
	 "!!! {0} 因配置有误而结束（{2}），不再启动：看它的日志，改正后用 qiao check "
	 "检查，再重新运行",
	 "!!! {0} ended because of its configuration ({2}) and stays down: see its log, mend, qiao "
	 "check, run again"},
	{"run_held_safe",
	 "!!! {0} 为安全而停止（{2}），不再启动：原因和办法在它的日志里；处理之前不要重新运行",
	 "!!! {0} stopped to stay safe ({2}) and stays down: its log names the cause and the cure; "
	 "see to that first"},
	{"run_child_ended", "{0} 已结束（{2}）", "{0} ended ({2})"},
	{"run_killed", "{0} 在 {1} 毫秒内没有停下，已强行终止",
	 "{0} had not stopped after {1} ms and was killed"},
	{"run_reopened", "日志已重新打开", "logs reopened"},
	{"run_stopping", "正在停止", "stopping"},
	{"run_ended", "全部停止", "all stopped"},
	{"run_ended_held", "全部停止；有程序停下后需要人处理，见上",
	 "all stopped; a program stayed down and needs a person, see above"},
	{"run_nothing_left", "没有可以运行的程序了", "nothing is left that may run"},

	{"cmd_submit", "报送一份名册，等回执编号", "hand in a roster and wait for the receipt"},
	{"cmd_submit.help",
	 "把名册（CSV）放入报送单位的收件目录，旁边有 <名册名>.cover.json "
	 "就一起放入，然后等收件程序安全存盘。\n"
	 "--sender：报送单位（收件目录下的子目录名）。--wait：最多等多少秒，默认 10。\n"
	 "--replace：收件目录里已有同名但内容不同的文件时覆盖它。\n"
	 "同一份文件报几次都一样：同一个回执编号，同一个答复。\n\n"
	 "退出状态：0 已收到；1 被退回，原因已列出；3 还没有收（稍后再看，或检查程序是否在运行）。",
	 "Puts a roster (CSV), and <roster>.cover.json where that lies beside it, into the drop "
	 "folder of the sender and\n"
	 "waits until it is safely spooled. --sender: the name of the sender's folder. --wait: "
	 "seconds at most, default 10.\n"
	 "--replace: overwrite a file of that name with other content. The same file handed in "
	 "again is the same\n"
	 "submission: same receipt, same answer.\n\n"
	 "Exit status: 0 received; 1 refused, with the reason; 3 not taken yet (look again later, "
	 "or see qiao status)."},
	{"submit_usage", "要写明文件和 --sender：", "a file and --sender are needed:"},
	{"submit_wait", "--wait 要写 0 到 3600 的秒数", "--wait: expected seconds from 0 to 3600"},
	{"submit_new_sender", "新的报送单位，已建立目录 {0}", "a new sender: made the folder {0}"},
	{"submit_waiting", "等待收件程序，已 {0} 秒", "waiting for qiao-village, {0} s"},
	{"submit_received", "已收到，回执编号 {0}\n答复在：{1}",
	 "received, receipt {0}\nthe answer is in: {1}"},
	{"submit_refused", "被退回，编号 {0}：{2}\n答复在：{1}",
	 "refused, number {0}: {2}\nthe answer is in: {1}"},
	{"submit_not_yet",
	 "已放入收件目录，还没有收；编号将是 {0}\n答复将在：{1}\n看程序是否在运行：qiao status",
	 "in the drop folder, not taken yet; the receipt will be {0}\nthe answer will be in: "
	 "{1}\nsee whether the programs run: "
	 "qiao status"},
	{"submit_again", "收件目录里已有同样的一份：按同一份办理",
	 "the same file was there already: it is one submission"},
	{"submit_cover", "附属材料（cover）一起放入了", "its cover went along"},

	{"cmd_status", "现在怎么样，有什么要人处理", "how it goes, and what a person must do"},
	{"cmd_status.help",
	 "列出各程序、总线各主题等待的事件、外部系统、磁盘、距最后申报日的天数；最后是需要人处理的"
	 "事项，没有就写“无”。\n"
	 "--counters：加上各程序的计数。--format json：供监控读取。程序没有运行时也能用。\n\n"
	 "退出状态：0 无事；1 有事项需要人处理。",
	 "Programs, what waits on the bus, outside systems, disk, days to the last filing day; "
	 "ends with what a person\n"
	 "must do, or \"nothing\". --counters adds the programs' counters; --format json is for "
	 "monitors. Works whether\n"
	 "the programs run or not.\n\n"
	 "Exit status: 0 nothing; 1 something."},
	{"status_program", "程序", "PROGRAM"},
	{"status_state", "状态", "STATE"},
	{"status_since", "开始于", "SINCE"},
	{"status_pid", "进程", "PID"},
	{"status_note", "说明", "NOTE"},
	{"status_topic", "主题", "TOPIC"},
	{"status_reader", "读者", "READER"},
	{"status_events", "事件", "EVENTS"},
	{"status_waiting", "等待", "WAITING"},
	{"status_oldest", "最久", "OLDEST"},
	{"status_peer", "外部系统", "OUTSIDE"},
	{"status_disk", "磁盘：剩余 {0} MiB，共 {1} MiB", "disk: {0} MiB free of {1} MiB"},
	{"status_filing", "最后申报日 {0}：还有 {1} 天", "last filing day {0}: {1} days left"},
	{"status_filing_over", "最后申报日 {0}：已过 {1} 天", "last filing day {0}: {1} days ago"},
	{"status_no_policy", "{0} 年还没有政策文件：该年的名册会被退回",
	 "no policy of {0} yet: rosters of that year are refused"},
	{"status_rejects", "无法处理的事件：{0}；退回的文件：{1}",
	 "events that could not be processed: {0}; files refused: {1}"},
	{"status_todo", "需要人处理：", "what a person must do:"},
	{"status_nothing", "需要人处理：无", "what a person must do: nothing"},
	{"todo_init", "还没有初始化：先 qiao init，再 qiao run",
	 "not initialised: qiao init, then qiao run"},
	{"todo_start", "{0} 没有运行：启动 qiao run（或它的系统服务） {1}",
	 "{0} does not run: start qiao run (or its service) {1}"},
	{"todo_failed", "{0} 出错停止：{1}；处理后重新启动",
	 "{0} has failed: {1}; see to it, then start again"},
	{"todo_held", "{0} 停下等人处理：原因和办法在它的日志里 {1}",
	 "{0} is kept down: its log names cause and cure {1}"},
	{"todo_silent", "{0} 两分钟没有消息：看它的日志{1}",
	 "{0} has been silent for two minutes: see its log{1}"},
	{"todo_peer", "外部系统 {0} 自 {1} 起不通：与对方联系，检查网络和证书",
	 "{0} cannot be reached since {1}: ask there, check network and certificates"},
	{"todo_lag", "{0} 很久没有读完主题 {1}：看它的日志",
	 "{0} is far behind on topic {1}: see its log"},
	{"todo_bus", "总线读不了：{0}", "the bus cannot be read: {0}"},
	{"todo_differences", "有 {0} 处两边说法不一，要人工核对（网关日志中的 DIFFERENCE）",
	 "{0} times two sides tell it differently: DIFFERENCE in the gateway's log"},
	{"todo_rejects", "有 {0} 个事件无法处理：qiao rejects",
	 "{0} events could not be processed: qiao rejects"},
	{"todo_disk", "磁盘只剩 {0} MiB：腾出空间", "only {0} MiB of disk are left: make room"},
	{"todo_policy", "放入 {0} 年的政策文件", "put in the policy of {0}"},

	/* flow: why a roster or a row waits */
	{"waiting_cover", "还没有收到封面材料", "the cover has not come yet"},
	{"waiting_cover.cure", "补交封面材料（引用本回执的名册摘要），名册不用重交",
	 "send the cover; the roster stays"},
	{"cover_of_other_case", "封面材料的年度或村（居）与名册不一致",
	 "the cover is of another year or village"},
	{"cover_of_other_case.cure", "核对后重新提交封面材料",
	 "correct the cover and send it again"},
	{"waiting_filing", "等待手续齐全", "waiting for the papers of the roster"},
	{"waiting_filing.cure", "此行无需修改；缺什么见回执上方",
	 "nothing to mend; see the head of the answer"},
	{"submission_incomplete", "名册没有完整收到，系统会自动重试",
	 "not received completely; it is sent again"},
	{"submission_incomplete.cure", "无需处理；一天后仍如此请联系区社保经办机构",
	 "nothing; call if it stays so"},
	{"too_late", "超过最后办理日，没有缴纳", "past the last day for payment: not paid"},
	{"too_late.cure", "本年度不再办理；来年可重新申报", "nothing more this year"},
	{"kept", "净征收", "kept"},
	{"collected", "已征收", "collected"},
	{"statement_column", "项目", "column"},
	{"statement_rows", "行数", "rows"},
	{"statement_yuan", "金额（元）", "yuan"},
	{"statement_town", "镇（街道）", "town"},
	{"statement_village", "村（居）", "village"},
	{"statement_year", "年度", "year"},
	{"statement_sponsor", "资助方", "sponsor"},
	{"statement_no_cover", "（手续未齐）", "(papers incomplete)"},
	{"statement_adds_up", "核对：各栏相加等于申报总数，分文不差",
	 "it adds up: the columns equal what was declared, to the fen"},
	{"statement_does_not", "核对：各栏相加与申报总数不符！请立即停止缴纳并联系技术人员",
	 "IT DOES NOT ADD UP: stop paying and call support"},
	{"statement_recount", "复算：逐笔重新计数，与统计一致",
	 "recount: the declarations one by one give the same"},
	{"statement_recount_differs", "复算：逐笔重新计数，与统计不一致！",
	 "RECOUNT DIFFERS from the statistics"},
	{"statement_differences", "有 {0} 处两边说法不一，需要人工核对（见日志 DIFFERENCE）",
	 "{0} differences between two sides need a person (log: DIFFERENCE)"},
	{"statement_year_wrong", "{0}：--year 要写成四位数的年份",
	 "{0}: --year is a year of four digits"},
	{"trace_row", "回执 {0} 第 {1} 行（报送 {2}，{3} 收到）",
	 "receipt {0}, row {1} (sent by {2}, received {3})"},
	{"trace_amount", "  金额 {0} 元，村（居）{1}，{2}", "  {0} yuan, village {1}, {2}"},
	{"trace_payment", "  缴费编号 {0}", "  payment {0}"},
	{"trace_tax_receipt", "  电子税票号 {0}", "  tax receipt {0}"},
	{"trace_implied", "（由后续结果推知）", " (implied by what followed)"},
	{"trace_state", "  现状：{0}；最新答复：{1}（{2}）",
	 "  now: {0}; current answer: {1} ({2})"},
	{"trace_final", "已办结", "final"},
	{"trace_not_final", "办理中", "not final"},
	{"trace_no_answer", "尚无", "none yet"},
	{"trace_more", "……还有更多，请加行号", "... and more: give a row"},
	{"trace_nothing", "没有找到", "nothing found"},
	{"cmd_trace", "一笔补助、一行名册、一个人现在在哪里",
	 "where is it: a payment, a row, a person"},
	{"cmd_trace.help",
	 "可以查：任何编号（写全，或唯一的前 8 "
	 "位以上）、回执编号、名册文件加行号；身份号码只从标准输入读，不写在命令行上：\n"
	 "  qiao trace -\n"
	 "显示这一行从名册到申报、征收、票号、入账的每一步。\n\n"
	 "退出状态：0 找到；1 没有找到，或前几位不唯一。",
	 "Takes any id (whole, or a unique beginning of 8 or more), a receipt number, or a roster "
	 "file and its row. An ID\n"
	 "number is read from standard input only, never from the command line:\n"
	 "  qiao trace -\n"
	 "Shows each step from row to events, tax answer, receipt and credit.\n\n"
	 "Exit status: 0 found; 1 not found, or not unique."},
	{"cmd_statement", "每一分钱在哪里，账平不平", "where every fen is, and whether it adds up"},
	{"cmd_statement.help",
	 "按街道、村（居）、资助方类型列出申报、待办、在途、已征收、已入账等各栏的笔数和金额，最后"
	 "一行说明账平不平。\n"
	 "--year：只看一年。--village：只看一个村（居）代码。--format json：金额以分为单位。\n\n"
	 "退出状态：0 账平；1 账不平。",
	 "Counts and amounts by town, village and sponsor type: declared, pending, in flight, "
	 "collected, credited and all\n"
	 "other columns; the last line says whether it adds up. --year and --village narrow it; "
	 "JSON amounts are fen.\n\n"
	 "Exit status: 0 it adds up; 1 it does not."},

	{"cmd_rejects", "列出无法处理的事件", "list what could not be processed"},
	{"cmd_rejects.help",
	 "各程序无法处理的事件：时间、程序、主题、位置、类型、原因。其余的事件不受影响，照常办理。"
	 "\n"
	 "--topic：只看来自这个主题的。--show 角色:序号：加上这一个的原始字节（十六进制）。\n\n"
	 "退出状态：0 没有；1 有。",
	 "Events that a program could not process: when, who, topic and place, type, reason. "
	 "Everything else went on.\n"
	 "--topic: only those of that topic. --show ROLE:OFFSET: this one with its bytes in "
	 "hex.\n\n"
	 "Exit status: 0 none; 1 some."},
	{"rejects_show", "--show 要写成 角色:序号，如 gateway:0",
	 "--show: expected ROLE:OFFSET, such as gateway:0"},
	{"rejects_none", "没有无法处理的事件", "nothing was rejected"},
	{"rejects_not_there", "没有这一个", "there is no such reject"},
	{"rejects_place", "序号", "REJECT"},
	{"rejects_time", "时间", "TIME"},
	{"rejects_partition", "分区", "PART"},
	{"rejects_offset", "位置", "OFFSET"},
	{"rejects_type", "类型", "TYPE"},
	{"rejects_reason", "原因", "REASON"},
	{"rejects_detail", "详情", "DETAIL"},

	{"cmd_backup", "运行中备份", "copy everything that cannot be made anew, while running"},
	{"cmd_backup.help",
	 "把总账、总线、收件和退回的文件复制到一个新目录，程序照常运行。最后写 "
	 "manifest.sha256：没有它的备份不完整；\n"
	 "在备份目录里用 sha256sum -c manifest.sha256 核对。\n"
	 "恢复：停下程序，把备份复制到空的数据目录，再 qiao run。\n"
	 "不包含：密钥、配置、收件目录（各村自己的文件）。密钥要另外离线保存。",
	 "Copies ledger, bus, spool and refused files to a fresh folder while the programs go on. "
	 "The manifest is written\n"
	 "last: a backup without manifest.sha256 did not end; check one with: sha256sum -c "
	 "manifest.sha256\n"
	 "To restore: stop the programs, copy the backup to an empty data folder, qiao run.\n"
	 "Not in it: keys, configuration, the drop folder (the villages' own files). Keep the keys "
	 "off this machine."},
	{"backup_usage", "要写明一个新目录：", "a fresh folder is needed:"},
	{"backup_working", "正在备份，已核对 {0} 个文件", "copying; {0} files checked"},
	{"backup_done", "已备份到 {0}，{1} 个文件。密钥不在其中：{2} 要另外离线保存",
	 "backed up to {0}, {1} files. Keys are not in it: keep {2} off this machine too"},
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

static const struct text *find(const char *code);
static int by_code(const void *a, const void *b);

const char *text_get(const char *code, enum lang lang)
{
	const struct text *t = find(code);

	if (t == NULL)
		return NULL;
	return lang == LANG_ZH ? t->zh : t->en;
}

const char *text_or_code(const char *code, enum lang lang)
{
	const char *text = text_get(code, lang);

	return text ? text : code;
}

int text_fill(struct buf *out, const char *text, const struct str *args, int count)
{
	size_t len = out->len;
	int rc = 0;

	while (*text && rc == 0) {
		size_t n = strcspn(text, "{");
		int i = text[n] == '{' ? text[n + 1] - '0' : -1;

		rc |= buf_put(out, text, n);
		text += n;
		if (i >= 0 && i <= 9 && i < count && text[2] == '}') {
			rc |= buf_put(out, args[i].p, args[i].n);
			text += 3;
		} else if (*text) {
			rc |= buf_put_u8(out, '{');
			text++;
		}
	}
	if (rc < 0)
		out->len = len;
	return rc;
}

const char *text_code_at(int i)
{
	return i >= 0 && i < TEXTS ? texts[i].code : NULL;
}

/* Answers ask several texts a row: hence an index, made at the first question. */
static const struct text *find(const char *code)
{
	static const struct text *index[TEXTS];
	struct text wanted = {.code = code};
	const struct text *key = &wanted, *const * at;

	if (index[0] == NULL) {
		for (size_t i = 0; i < TEXTS; i++)
			index[i] = &texts[i];
		qsort(index, TEXTS, sizeof index[0], by_code);
		for (size_t i = 1; i < TEXTS; i++)
			assert(strcmp(index[i - 1]->code, index[i]->code) != 0);
	}
	at = bsearch(&key, index, TEXTS, sizeof index[0], by_code);
	return at ? *at : NULL;
}

static int by_code(const void *a, const void *b)
{
	const struct text *const *x = a, *const *y = b;

	return strcmp((*x)->code, (*y)->code);
}
