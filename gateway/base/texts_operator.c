/* What an operator reads: the qiao command. */
#include "base/texts.h"

const struct text texts_for_operators[] = {
	/* ---- commands ---- */
	{"yes", "是", "yes"},
	{"no", "否", "no"},
	{"role_starting", "正在启动", "starting"},
	{"role_running", "运行中", "running"},
	{"role_standby", "热备等待", "standing by"},
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
	{"keygen_operator", "已生成 {0} 的密钥：私钥 {1} 归本人保管，公钥 {2} 已放进 [operators] dir；网关重新启动后生效",
	 "made the keys of {0}: the private one, {1}, is the person's own; the public one is {2}. The gateway knows it after its next "
	 "start"},
	{"cmd_keygen.help",
	 "在 [keys] dir "
	 "下给每个角色一个目录，只放它用得着的密钥：身份代码密钥、每年一把的封存密钥、收件封存密钥"
	 "。\n"
	 "--years "
	 "2024-2026：封存密钥的年份；不写则按已有的政策文件。已有的密钥不动，缺的年份补上。\n"
	 "密钥丢失后，封存的身份再也打不开：请离线另存一份。\n"
	 "--operator 姓名：为一个作决定的人生成签名密钥；私钥写到 --key（默认 ~/.qiao/<姓名>.key），公钥写到 [operators] dir。",
	 "Makes a folder for each role under [keys] dir with only what that role needs: the token "
	 "key, a seal key a\n"
	 "year, the spool key. --years 2024-2026 names the years of the seal keys; the default are "
	 "those of the\n"
	 "policy files. Existing keys stay, missing years are added. Without its key a sealed "
	 "identity can never be\n"
	 "opened again: keep a copy of the keys off this machine.\n"
	 "--operator NAME: a pair of keys for a person who decides; the private one goes to --key FILE (~/.qiao/<name>.key by\n"
	 "default), the public one to [operators] dir."},
	{"keygen_operator_name", "姓名只能用 a-z 0-9 . _ -，以字母开头，最多 32 个字符", "a name is a-z 0-9 . _ -, a letter first, at most 32"},
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

	{"cmd_topics", "规划、建立、检查 Kafka 上的主题", "plan, create and check the topics on Kafka"},
	{"cmd_topics.help",
	 "用于 [bus] kind = kafka。plan：列出要有的主题、分区和保留期（--acls：每个程序需要的权限）。\n"
	 "create：建立缺少的主题，并给每个读取组第一个位置；已有的不动。主题上已有事件而读取组没有位置时，拒绝从头\n"
	 "开始，除非用 --group-from-beginning 写明是哪个组（例如新的收件处要读以前的答复）。\n"
	 "check：集群是否守得住承诺（包括时钟：为此在主题 clock 上写几条记录），每个问题都附处理办法。\n\n"
	 "退出状态：0 一切就绪；1 有问题；2 设置有误；3 没有代理应答；4 停下以保安全。",
	 "For [bus] kind = kafka. plan: the topics that should be there, their partitions and retention (--acls: the\n"
	 "rights that each program needs). create: makes the topics that are missing and gives each group of readers its\n"
	 "first position; what is there is left alone. Where events lie on a topic and a group has no position, it refuses\n"
	 "to start over, unless --group-from-beginning names that group (a new spool that may read old answers). check:\n"
	 "whether the cluster keeps the promises, each finding with its cure; to see the brokers' clocks it writes some\n"
	 "records to the topic clock.\n\n"
	 "Exit status: 0 all is well; 1 findings; 2 settings; 3 no broker answers; 4 stopped to stay safe."},
	{"topics_working", "正在等待 {0} 的应答", "waiting for {0}"},
	{"topics_usage", "要写 plan、create 或 check", "say plan, create or check"},
	{"topics_topic", "主题", "topic"},
	{"topics_partitions", "分区", "partitions"},
	{"topics_copies", "副本", "copies"},
	{"topics_program", "程序", "program"},
	{"topics_operation", "操作", "operation"},
	{"topics_kind", "对象", "kind"},
	{"topics_name", "名称", "name"},
	{"topics_created", "新建主题 {0} 个，新设读取位置 {1} 个", "{0} topics created, {1} first positions given"},
	{"topics_finding", "{0}：现为 {1}，应为 {2}；{3}", "{0}: is {1}, should be {2}: {3}"},
	{"topics_ok", "主题、副本和读取位置都符合要求", "topics, copies and positions are as they should be"},
	{"cmd_schemas", "在模式登记处登记事件模式，或检查是否一致",
	 "register the schemas of the events, or check that all agree"},
	{"cmd_schemas.help",
	 "用于 [registry] url 指向的模式登记处（Confluent 接口）。程序自己从不登记。\n"
	 "register：登记缺少的事件模式，先检查每一个是否与已登记的兼容；有一个不兼容，就一个也不登"
	 "记"
	 "。\n"
	 "check：每个模式都已登记，各程序记住的编号含义未变，兼容级别不是 "
	 "NONE；每个问题都附处理办法"
	 "。\n"
	 "升级程序之前先运行 register。\n\n"
	 "退出状态：0 一切就绪；1 有不兼容的模式或有问题；2 设置有误；3 登记处没有应答；"
	 "4 编号的含义变了。",
	 "For the schema registry at [registry] url (Confluent's interface). Programs never "
	 "register anything.\n"
	 "register: registers the schemas that are missing, after asking for each whether it is "
	 "compatible with what\n"
	 "is there; when one is not, none is registered. check: every schema is registered, the "
	 "ids that the programs\n"
	 "remember mean what they meant, the level of compatibility is not NONE; each finding with "
	 "its cure.\n"
	 "Run register before an upgrade of the programs.\n\n"
	 "Exit status: 0 all is well; 1 an incompatible schema, or findings; 2 settings; 3 no "
	 "answer from the\n"
	 "registry; 4 an id changed its meaning."},
	{"schemas_usage", "要写 register 或 check", "say register or check"},
	{"schemas_subject", "名称", "subject"},
	{"schemas_id", "编号", "id"},
	{"schemas_version", "版本", "version"},
	{"schemas_done", "结果", "result"},
	{"schemas_missing", "未登记", "not registered"},
	{"schemas_there", "已有", "there already"},
	{"schemas_registered", "刚登记", "registered"},
	{"schemas_incompatible", "不兼容", "incompatible"},
	{"schemas_not_registered",
	 "有不兼容的模式，缺少的没有登记：请用与登记处相符的程序版本，或由管理员调整兼容级别",
	 "a schema is incompatible, so what is missing was not registered: use the version of the "
	 "programs that fits, or have the level of compatibility changed"},
	{"schemas_ok", "{0} 个模式均已登记，编号含义未变",
	 "{0} schemas are registered, and every id means what it meant"},
	{"schemas_find_missing", "{0}：没有按本程序的形式登记；运行 qiao schemas register",
	 "{0}: not registered in the form of this program; run qiao schemas register"},
	{"schemas_find_level",
	 "{0}：兼容级别为 NONE，谁都可以登记读不懂的模式；请在登记处设为 BACKWARD（PUT /config）",
	 "{0}: the level of compatibility is NONE, so anybody may register what we cannot read; "
	 "set BACKWARD at the registry (PUT /config)"},
	{"schemas_find_gone", "{0}：登记处不认识编号 {1}，别人读不了已有的事件；请从备份恢复登记处",
	 "{0}: the registry does not know id {1}, so others cannot read the events that are there; "
	 "restore the registry from its backup"},
	{"schemas_find_changed",
	 "{0}：编号 {1} 现在指别的模式，事件会被误读；请从备份恢复登记处，或改正 [registry] url",
	 "{0}: id {1} now means another schema and events would be misread; restore the registry "
	 "from its backup, or correct [registry] url"},

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
	{"run_hung", "{0} 已 {1} 毫秒没有动静，已强行终止",
	 "{0} gave no sign of life for {1} ms and was killed"},
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
	{"todo_adopted", "恢复后接管的缴款中有 {0} 笔无名册认领，要人工核对（qiao adopt --list）",
	 "{0} payments adopted after a restore have no declaration: have their rosters dropped again, or look into them (qiao "
	 "adopt --list)"},
	{"todo_differences", "有 {0} 处两边说法不一，要人工核对（网关日志中的 DIFFERENCE）",
	 "{0} times two sides tell it differently: DIFFERENCE in the gateway's log"},
	{"todo_stopped", "主题 {0} 停止读取：近来 {1} 的事件被拒；消除原因后 qiao rejects resume {0}",
	 "topic {0} is not read any more: {1} of its last events were rejected; mend the cause, then qiao rejects resume {0}"},
	{"todo_rejects", "有 {0} 个事件无法处理：qiao rejects",
	 "{0} events could not be processed: qiao rejects"},
	{"todo_disk", "磁盘只剩 {0} MiB：腾出空间", "only {0} MiB of disk are left: make room"},
	{"todo_policy", "放入 {0} 年的政策文件", "put in the policy of {0}"},

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
	{"statement_net", "净征收（已征收减已退）", "net: collected less refunded"},
	{"statement_first", "首笔入库日", "first in treasury"},
	{"statement_last", "末笔入库日", "last in treasury"},
	{"statement_village_code", "村（居）代码", "village code"},
	{"statement_sponsor_code", "资助方代码", "sponsor code"},
	{"statement_code", "原因代码", "code"},
	{"statement_reason", "原因", "reason"},
	{"statement_levels", "汇总：各村（居）之和等于各镇（街道）之和，等于全区；各项原因之和等于各栏",
	 "levels: villages, towns and district come to the same, and the reasons to their columns"},
	{"statement_levels_differ", "汇总：各村（居）、各镇（街道）、全区或各项原因之和不一致！",
	 "levels: villages, towns, district or reasons DO NOT come to the same!"},
	{"statement_output", "{0}：--format xlsx 要用 --output 指定文件；--output 只用于 xlsx 和 csv",
	 "{0}: --format xlsx needs --output FILE; --output is for xlsx and csv only"},
	{"sheet_totals", "总表", "totals"},
	{"sheet_villages", "分村（居）", "by village"},
	{"sheet_towns", "分镇（街道）", "by town"},
	{"sheet_district", "全区", "district"},
	{"sheet_reasons", "原因", "reasons"},
	{"sheet_chart", "各镇（街道）申报与征收", "declared and collected"},
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
	{"statement_adopted", "另有 {0} 笔恢复后接管、尚无名册认领的缴款，共 {1} 元，不在上表各栏中，额度已占用（qiao adopt --list）",
	 "besides: {0} adopted payments without a declaration, {1} yuan, in none of the columns above; their money is reserved "
	 "(qiao adopt --list)"},
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
	 "显示这一行从名册到申报、征收、票号、入账的每一步。按号码查询会记入 qiao audit，号码本身不记。\n\n"
	 "退出状态：0 找到；1 没有找到，或前几位不唯一。",
	 "Takes any id (whole, or a unique beginning of 8 or more), a receipt number, or a roster "
	 "file and its row. An ID\n"
	 "number is read from standard input only, never from the command line:\n"
	 "  qiao trace -\n"
	 "Shows each step from row to events, tax answer, receipt and credit. A look by number is recorded, without the\n"
	 "number: see qiao audit.\n\n"
	 "Exit status: 0 found; 1 not found, or not unique."},
	{"cmd_statement", "每一分钱在哪里，账平不平", "where every fen is, and whether it adds up"},
	{"cmd_statement.help",
	 "按街道、村（居）、资助方类型列出申报、待办、在途、已征收、已入账等各栏的笔数和金额，最后"
	 "一行说明账平不平。\n"
	 "--year：只看一年。--village：只看一个村（居）代码。--format json：金额以分为单位。\n"
	 "--as-of：某一时刻的对账单，数字与当时打印的分毫不差。可写时间（2026-12-05T10:00）、日期（当日终）或账本序号；"
	 "每张对账单开头都写明自己的序号。\n"
	 "--cut：某次日切的对账单（见 qiao cut）。\n"
	 "--by village|town|district：按村（居）、镇（街道）或全区汇总。--format csv：该汇总表，Excel 可直接打开；"
	 "--format xlsx --output 文件：各级汇总、原因和图表的工作簿。\n\n"
	 "退出状态：0 账平；1 账不平；2 所问的时刻尚未到，或早于统计留痕之始。",
	 "Counts and amounts by town, village and sponsor type: declared, pending, in flight, "
	 "collected, credited and all\n"
	 "other columns; the last line says whether it adds up. --year and --village narrow it; "
	 "JSON amounts are fen.\n"
	 "--as-of: as it was printed at a moment, with the very same figures: a time (2026-12-05T10:00), a date (the end of that day) "
	 "or a ledger\n"
	 "sequence. Each statement says at its head which sequence it stands for. --cut: that of a day cut (qiao cut).\n"
	 "--by village|town|district: the level of the table. --format csv: that table, as Excel opens it; --format xlsx --output FILE: a\n"
	 "workbook with all levels, the reasons and a chart.\n\n"
	 "Exit status: 0 it adds up; 1 it does not; 2 that moment is still to come, or lies before the log of the statistics."},
	{"statement_as_of", "日间对账单，截至账本序号 {0}（{1}）", "intraday, as of ledger sequence {0} ({1})"},
	{"statement_as_of_nothing", "日间对账单，截至账本序号 {0}：尚无变动", "intraday, as of ledger sequence {0}: nothing yet"},
	{"statement_cut", "日切第 {2} 号，{3}，截至账本序号 {0}，摘要 {4}", "day cut {2} of {3}, as of ledger sequence {0}, digest {4}"},
	{"statement_as_of_wrong", "--as-of：“{0}”既不是时间（2026-12-05T10:00）、日期，也不是序号",
	 "--as-of: \"{0}\" is no time (2026-12-05T10:00), no date and no sequence"},
	{"statement_lost", "--as-of {0}：账本从升级时才开始为统计留痕，此前的状况已无从得知",
	 "--as-of {0}: this ledger logs its statistics only since it was upgraded; what they were before is not known"},
	{"statement_to_come", "--as-of {0}：这一时刻还没有到", "--as-of {0}: that moment is still to come"},
	{"statement_past", "复算依据是截至该序号的历史。需人工核对的事项和恢复后接管的缴款只在今日的对账单上列出",
	 "counted again from the history up to that sequence; what a person must look at, and adopted payments, are on today's "
	 "statement only"},

	{"cmd_cut", "日切：每日终了时的统计及其摘要链", "the ends of the days: statistics, digests, and the chain of them"},
	{"cmd_cut.help",
	 "网关在每个自然日终了后（[gateway] cut_at，默认 24:00，北京时间）作一次日切：序号、日期、账本序号和 SHA-256 摘要。"
	 "没有变动的日子也有；网关停机期间的日子，开机后补切，每日一次。\n"
	 "list：列出全部。show：逐字节打印某次日切的规范文本，可直接签名或核对摘要（sha256sum）。"
	 "check：按账本重算全部摘要，指出哪里断了。\n"
	 "规范文本的首行含上一次日切的摘要，环环相扣：记下末次摘要，即可证明此前各日未被改动。\n\n"
	 "退出状态：0 完好；1 摘要不符；2 没有这次日切。",
	 "When a civil day has ended ([gateway] cut_at, 24 hours by default, UTC+08:00) the gateway cuts it: number, day, ledger "
	 "sequence and\n"
	 "SHA-256 digest. Days without change are cut too, and days when the gateway was down are cut at its next start, once each.\n"
	 "list shows all. show prints a cut's canonical form byte for byte, ready to be signed or given to sha256sum. check makes all "
	 "digests\n"
	 "anew from the ledger and says where it breaks. A form begins with the digest of the cut before: who notes the last digest "
	 "elsewhere\n"
	 "can prove that no day before it was changed.\n\n"
	 "Exit status: 0 whole; 1 a digest differs; 2 no such cut."},
	{"cut_number", "号", "CUT"},
	{"cut_day", "日期", "DAY"},
	{"cut_sequence", "账本序号", "SEQUENCE"},
	{"cut_made", "切于", "MADE"},
	{"cut_digest", "摘要", "DIGEST"},
	{"cut_none", "还没有日切", "no day was cut yet"},
	{"cut_unknown", "没有第“{0}”号日切（qiao cut 列出全部）", "no cut {0} (qiao cut lists them)"},
	{"cut_changed", "日切第 {0} 号（{1}）：摘要不符，账本或这次日切被改过",
	 "cut {0} ({1}): its digest differs: the ledger or this cut was changed"},
	{"cut_missing", "日切第 {0} 号（{1}）：与上一次接不上，中间的被抽走或插入过",
	 "cut {0} ({1}): does not follow the one before: some were taken out or put in"},
	{"cut_unreadable", "日切第 {0} 号（{1}）：无法重算", "cut {0} ({1}): cannot be made anew"},
	{"cut_whole", "{0} 次日切全部相符，末次摘要 {1}", "{0} cuts, all as they were made; digest of the last {1}"},

	{"cmd_adopt", "恢复旧账本后，接管总线上较新的决定", "let a restored ledger adopt what a newer bus says"},
	{"cmd_adopt.help",
	 "账本丢失、只能恢复较旧的备份，而总线（如 Kafka）没有备份时用。先停网关，把备份中的 gateway/ledger.db 复制到数据目录，"
	 "再执行本命令；网关下次启动时，先接管总线上比备份新的决定（已发出的缴款指令、最终答复），再从备份时的位置重读各主题。"
	 "不会重复缴款。\n"
	 "--dry-run：只统计，不下令。--list：列出接管后没有名册认领的缴款。\n\n"
	 "退出状态：0 已下令；1 不是备份的副本，或不比总线旧；--list：0 没有，1 有。",
	 "For a lost ledger whose backup is older than the bus, where the bus has no backup (Kafka). Stop the gateway, copy "
	 "gateway/ledger.db\n"
	 "from the backup into the data folder, and give this order: at its next start the gateway takes over what the lost life "
	 "decided\n"
	 "(payments instructed, final answers), and then reads its inputs again from where the backup stood. Nothing is paid "
	 "twice.\n"
	 "--dry-run: only counts. --list: adopted payments that no row has claimed.\n\n"
	 "Exit status: 0 ordered; 1 the ledger is no copy, or not older than the bus; --list: 0 none, 1 some."},
	{"adopt_newer", "账本知道到第 {0} 号事件，总线上到第 {1} 号；较新的有：",
	 "the ledger knows events up to {0}, the bus holds some up to {1}; newer ones:"},
	{"adopt_would", "以上将被接管；要下令：qiao adopt", "these would be adopted; to order it: qiao adopt"},
	{"adopt_ordered", "已下令。网关下次启动时接管，然后重读各主题；之后请看 qiao adopt --list 和 qiao statement",
	 "ordered: the gateway adopts them at its next start, before it reads anything, then reads its inputs again; afterwards see "
	 "qiao adopt --list and qiao statement"},
	{"adopt_none", "没有无人认领的缴款", "no adopted payment is without a declaration"},
	{"adopt_payment", "缴款编号", "PAYMENT"},
	{"adopt_instructed", "发出时间", "INSTRUCTED"},

	{"cmd_case", "各名册的手续、方案和期限", "each roster's gates, plan and deadlines"},
	{"cmd_case.help",
	 "按年度、村（居）、资助方（信用代码或类型）列出名册：手续办了哪些、何时、何单位、材料，缺哪一项、为什么暂缓；"
	 "方案用了多少人、多少钱；监督意见；公示到哪一天，下一个期限。\n\n退出状态：0 都不缺手续；1 有暂缓或不受理的。",
	 "Rosters by year, village and sponsor (credit code or type): which gates are passed, when, by whom, with which paper, which is "
	 "missing and why; how much of the plan is used; the supervision's word; the posting's last day and the next deadline.\n\n"
	 "Exit status: 0 nothing is missing; 1 some are held or refused."},
	{"case_year", "年度要写成 2026 的样子", "expected a year such as 2026"},
	{"case_none", "没有这样的名册", "there is no such roster"},
	{"case_head", "收件号 {0}　{1}年　{2}　{3}　{4} 行 / {5} 元", "receipt {0}  {1}  {2}  {3}  {4} rows / {5} yuan"},
	{"case_annex", "　　附件，原名册收件号 {0}", "    annex to receipt {0}"},
	{"case_held", "　　暂缓或有误：{0}", "    held or refused: {0}"},
	{"case_plan", "　　方案 {0}–{1}：已用 {2} 人 / {3} 元，限 {4} 人 / {5} 元", "    plan {0}-{1}: {2} persons / {3} yuan used, limits {4} / {5}"},
	{"case_no_plan", "　　方案：没有", "    plan: none"},
	{"case_source", "　　　　资金来源：{0} {1} {2}", "        source of funds: {0} {1} {2}"},
	{"case_gate", "　　{0}：{1} {2} {3}", "    {0}: {1} {2} {3}"},
	{"case_missing", "缺", "missing"},
	{"case_supervision", "　　监督意见：{0} {1} {2} {3}", "    supervision: {0} {1} {2} {3}"},
	{"case_posting", "　　公示到 {0}", "    posted until {0}"},
	{"case_deadline", "　　下一个期限：{0}（{1}）", "    next deadline: {0} ({1})"},
	{"case_to_file", "申报", "filing"},
	{"case_to_instruct", "送税务", "instructing"},
	{"case_signed", "同意", "signed"},
	{"case_objected", "有异议", "objected"},
	{"case_collective_income", "集体经济组织收益", "the collective's income"},
	{"case_donation", "捐赠", "donation"},
	{"case_government", "财政", "government"},
	{"case_other", "其他", "other"},
	{"cmd_rejects", "无法处理的事件：查看、重新处理、作废", "see, release and discard what could not be processed"},
	{"cmd_rejects.help",
	 "有的事件程序读不懂或不能接受：它带着原因和原始字节放到一边，其余的照常办理。原因消除以后（换了程序版本、补了政策文件……），\n"
	 "可以让网关重新处理它；确实无用的，可以作废。两者都是有人签名的决定，各只能作一次，记入 qiao operations。\n\n"
	 "list：还没有处置的（--all 连同已处置的，--topic 只看来自一个主题的）。\n"
	 "show 角色:序号：一个事件及其原始字节。\n"
	 "release --dry-run 事件：只看现在重新处理会怎样：能否读懂，是哪一笔，它现在的状态，会变成什么。什么也不做。\n"
	 "release 事件：重新处理，仍用原来的事件编号，所以不会付第二次。又不能处理的，成为一个新的无法处理的事件，并注明这项决定。\n"
	 "discard 事件：作废，不再提醒。\n"
	 "resume 主题：一个主题近来被拒的太多（配置 [gateway] reject_share），网关就停止读它，其余主题照常；原因消除后用这条命令继续读，从停下的地方起。\n\n"
	 "事件写成 角色:序号（如 gateway:3），或它的编号（至少前 8 位）。涉及钱的要两个人：第二个人用 qiao approve。\n"
	 "税务、社保、村级程序的事件目前只能作废，还不能重新处理；它们作废一律要两个人。\n"
	 "--reason 写明原因（不要写姓名或证件号码），--document 写依据的文号。\n"
	 "签名：--operator 姓名（默认本账号），--key 私钥文件（默认 ~/.qiao/<姓名>.key），--wait 秒数（默认 10）。\n\n"
	 "退出状态：list、show：0 没有，1 有；其他：0 已办或等待第二个人，1 被拒绝，3 网关还没有处理。",
	 "An event that a program cannot read, or must refuse, is set aside with the reason and its bytes; everything else goes on. When the\n"
	 "cause is mended (a newer program, the year's policy file) have it processed again; when it is of no use, discard it. Both are\n"
	 "decisions that a person signs; each is taken once and listed by qiao operations.\n\n"
	 "list                         those nobody has settled; --all: the others too; --topic TOPIC: that came from there\n"
	 "show ROLE:OFFSET             one, with its bytes in hex\n"
	 "release --dry-run REJECT     what would happen: does it decode now, which payment is it about, what is its state, what would it\n"
	 "                             become. Does nothing\n"
	 "release REJECT               has it processed again under its own event id, so that nothing is paid twice. One that is rejected\n"
	 "                             again becomes a new reject that names this decision\n"
	 "discard REJECT               settles it for good: qiao status reminds of it no more\n"
	 "resume TOPIC                 where too much of a topic was rejected ([gateway] reject_share) the gateway stopped reading it, and\n"
	 "                             read on elsewhere; mend the cause, then this goes on where it stopped\n\n"
	 "REJECT is ROLE:OFFSET, such as gateway:3, or the reject's id (8 digits or more of it). What may move money needs a second person:\n"
	 "qiao approve. Rejects of the tax, ssa and village programs can be discarded, by two persons, but not released yet.\n"
	 "--reason says why (no names, no ID numbers), --document the number of the paper behind it.\n"
	 "Signing options: --operator NAME (this account by default), --key FILE (~/.qiao/<name>.key by default), --wait SECONDS (10).\n\n"
	 "Example: qiao rejects release --dry-run gateway:3, then qiao rejects release gateway:3 --reason 'program updated'\n"
	 "Exit status: list, show: 0 none, 1 some. Else: 0 done, or it waits for a second person; 1 refused; 3 the gateway has not taken it yet."},
	{"rejects_show", "要写成 角色:序号，如 gateway:0", "expected ROLE:OFFSET, such as gateway:0"},
	{"rejects_word", "请用 list、show、release、discard 或 resume", "expected list, show, release, discard or resume"},
	{"rejects_which", "请写出是哪一个：角色:序号，如 gateway:0，或编号（至少前 8 位）",
	 "say which: ROLE:OFFSET, such as gateway:0, or 8 digits or more of its id"},
	{"rejects_topic", "请写出主题的名称，如 collections", "name the topic, such as collections"},
	{"rejects_id", "编号：{0}", "id: {0}"},
	{"reject_open", "待处置", "open"},
	{"reject_released", "已重新处理", "released"},
	{"reject_discarded", "已作废", "discarded"},
	{"reject_not_found", "没有这个无法处理的事件", "there is no such reject"},
	{"reject_unreadable", "它的记录读不懂，可能是别的版本的程序写的", "its record cannot be read: another version of the program wrote it"},
	{"already_released", "已经重新处理过", "it was released already"},
	{"already_discarded", "已经作废", "it was discarded already"},
	{"release_not_here", "目前还不能重新处理：它是税务、社保或村级程序的，网关处理不了；可以作废",
	 "not possible yet: it belongs to the tax, ssa or village program, and the gateway cannot process it; it can be discarded"},
	{"release_no_input", "网关不读这个主题，无法重新处理", "it did not come from a topic that the gateway reads"},
	{"release_cut", "原始字节太长，没有全部保留，无法重新处理", "its bytes were too many to be kept whole"},
	{"rejected_again", "又不能处理：成为一个新的无法处理的事件", "it was rejected again, as a new reject"},
	{"flow_not_stopped", "这个主题没有停", "the gateway has not stopped reading that topic"},
	{"effect_again", "会再次被拒：{0}", "would be rejected again: {0}"},
	{"effect_new", "付款 {0}：由“{1}”变为“{2}”", "payment {0}: from \"{1}\" to \"{2}\""},
	{"effect_old", "付款 {0}（{1}）：早已知道，不会有变化", "payment {0} ({1}): known already, nothing would change"},
	{"effect_difference", "付款 {0}（{1}）：与“{2}”矛盾，付款不变，成为一处差异，由人核对",
	 "payment {0} ({1}): contradicts \"{2}\"; nothing would change but a difference for a person"},
	{"effect_other", "付款 {0}（{1}）：金额或税票号与我们的不同，付款不变，成为一处差异，由人核对",
	 "payment {0} ({1}): another amount or receipt than ours; nothing would change but a difference for a person"},
	{"effect_judged", "付款 {0}（{1}）：“{2}”，由网关按次数和时间判断", "payment {0} ({1}): \"{2}\", which the gateway judges by attempt and time"},
	{"effect_stranger", "付款 {0}：没有登记，先保留，等它的名册来", "payment {0} is not known: kept until its roster comes"},
	{"effect_person", "一个人的缴费情况：他有 {0} 笔等待的补助，会据此重新判断", "a person's contributions: {0} pending payments of theirs would be judged by it"},
	{"effect_roster", "名册 {0}：已知 {1} 行；会当作刚收到一样处理", "submission {0}, of which {1} rows are known: judged as if it came just now"},
	{"effect_decision", "{1} 的一项决定（{0}）：按它自己的签名和规则重新判断", "a decision of {1} ({0}): judged by its own signature and rules"},
	{"effect_taken", "{0}：会当作刚收到一样处理", "{0}: taken as if it came just now"},
	{"rejects_none", "没有无法处理的事件", "nothing was rejected"},
	{"rejects_not_there", "没有这一个", "there is no such reject"},
	{"rejects_place", "序号", "REJECT"},
	{"rejects_time", "时间", "TIME"},
	{"rejects_partition", "分区", "PART"},
	{"rejects_offset", "位置", "OFFSET"},
	{"rejects_type", "类型", "TYPE"},
	{"rejects_reason", "原因", "REASON"},
	{"rejects_detail", "详情", "DETAIL"},

	/* ---- decisions ---- */
	{"cmd_withdraw", "撤回一行（税务尚未受理的）", "take a row out before it is instructed"},
	{"cmd_withdraw.help",
	 "把一行从名册中撤回：还没有发往税务的补助，或还在等待的一行。名额和限额随即释放，这一行得到“已撤回”的最终答复。\n"
	 "已经发往税务的不能撤回，只能退库（qiao reverse）。\n"
	 "--reason 写明原因（不要写姓名或证件号码），--document 写依据的文号。\n"
	 "签名：--operator 姓名（默认本账号），--key 私钥文件（默认 ~/.qiao/<姓名>.key），--wait 秒数（默认 10）。\n\n退出状态：0 已办；1 被拒绝；3 网关还没有处理。",
	 "Takes out a row that was not instructed yet, or that still waits. Its room under the caps is free at once, its answer is final.\n"
	 "What was instructed cannot be withdrawn, only reversed (qiao reverse).\n"
	 "--reason says why (no names, no ID numbers), --document the number of the paper behind it.\n"
	 "Signing options: --operator NAME (this account by default), --key FILE (~/.qiao/<name>.key by default), --wait SECONDS (10).\n\n"
	 "Example: qiao withdraw 12345-67890 7 --reason 'moved away'\n"
	 "Exit status: 0 done; 1 refused; 3 the gateway has not taken it yet."},
	{"cmd_keys", "销毁某年的封存密钥（即删除该年的身份信息）", "destroy a year's seal key: the deletion of its identities"},
	{"cmd_keys.help",
	 "destroy 年度：在各角色的密钥文件夹中覆写并删除 seal-年度.key，留下 seal-年度.destroyed 作标记。该年封存的姓名和证件号码从此无人能打开，\n"
	 "不可恢复；账目只用令牌，照旧平衡。该密钥的备份要另行销毁。\n"
	 "要两个人签名：--operator、--key 是第一个人，--approve-operator、--approve-key 是第二个人。先记入审计（角色 keys），再销毁。\n"
	 "该年还有未办结的行，或晚到期限加消息保留期未过，都会拒绝；--force 不作这些检查。\n"
	 "正在运行的程序在重启之前还持有旧密钥。\n\n退出状态：0 已销毁；1 还不能；2 参数或密钥有误；3 以后再试。",
	 "destroy YEAR: overwrites and removes seal-YEAR.key in every role's folder and leaves the mark seal-YEAR.destroyed. Nobody can open\n"
	 "the names and numbers of that year any more, for good. The books are of tokens and add up as before. Backups of the key must be\n"
	 "destroyed too, apart.\n"
	 "Two people sign on the one line: --operator and --key are the first, --approve-operator and --approve-key the second. It is\n"
	 "recorded in the audit (role keys) before it happens.\n"
	 "Refused while rows of the year are not final, and before its late arrivals and the retention of the bus are over; --force looks\n"
	 "at neither. Programs that run hold the key until they are started again.\n\n"
	 "Exit status: 0 destroyed; 1 not yet; 2 a wrong argument or key; 3 try later."},
	{"identity_destroyed", "该年的封存密钥已销毁，身份信息不能再打开", "the seal key of its year was destroyed"},
	{"keys_what", "要写成：keys destroy 年度", "expected: keys destroy YEAR"},
	{"keys_two", "要第二个人：--approve-operator 姓名 --approve-key 私钥文件", "a second person must sign: --approve-operator NAME --approve-key FILE"},
	{"keys_unfinished", "该年还有 {0} 行没有办结；不要销毁", "{0} rows of that year are not final; nothing was destroyed"},
	{"keys_no_policy", "没有 {0} 年的政策，无从知道晚到期限；没有销毁", "no policy says when late arrivals of {0} are over; nothing was destroyed"},
	{"keys_window", "{0} 以前还可能用到；没有销毁", "they may be needed until {0}; nothing was destroyed"},
	{"keys_gone", "已销毁 {0}", "destroyed {0}"},
	{"keys_restart", "{0} 年的身份信息已经删除。请重启正在运行的程序；该密钥的备份也要销毁",
	 "the identities of {0} are deleted. Start the running programs again, and destroy the backups of this key"},
	{"cmd_link", "一个人的新旧两个证件号码：认作一人", "say that two ID numbers are one person"},
	{"cmd_link.help",
	 "从标准输入读两行：先旧号码，后新号码（不要写在命令行上）。此后两个号码算作一人：最高档次限额合并计算，同一资助方当年只有一笔。\n"
	 "要由第二个人同意（qiao approve）。已经超限或已有两笔的，不会自动改动，记为差异，由人处理。\n"
	 "是否参保、是否缴费仍按各自号码分别认定。\n"
	 "--reason 写明原因（不要写姓名或证件号码），--document 写依据的文号。\n"
	 "签名：--operator 姓名（默认本账号），--key 私钥文件（默认 ~/.qiao/<姓名>.key），--wait 秒数（默认 10）。\n\n退出状态：0 已办或等待同意；1 被拒绝；2 号码有误；3 网关还没有处理。",
	 "Reads two lines from standard input: the old number, then the new one (never on the command line). From then on both are one\n"
	 "person: the highest tier holds for both together, and a sponsor has one payment a year for them.\n"
	 "A second person must agree (qiao approve). What is above the tier or paid twice already is not undone: it becomes a difference.\n"
	 "Whether the person is insured and has paid is still judged for each number on its own.\n"
	 "--reason says why (no names, no ID numbers), --document the number of the paper behind it.\n"
	 "Signing options: --operator NAME (this account by default), --key FILE (~/.qiao/<name>.key by default), --wait SECONDS (10).\n\n"
	 "Example: qiao link --reason 'new number after adoption' < two-lines\n"
	 "Exit status: 0 done, or it waits for a second person; 1 refused; 2 a number is wrong; 3 the gateway has not taken it yet."},
	{"cmd_unlink", "撤销号码关联", "say that two ID numbers are two persons after all"},
	{"cmd_unlink.help",
	 "从标准输入读两行：先旧号码，后新号码。新号码退出关联。要由第二个人同意。\n签名：--operator 姓名（默认本账号），--key 私钥文件（默认 ~/.qiao/<姓名>.key），--wait 秒数（默认 10）。",
	 "Reads two lines from standard input: the old number, then the new one. The new one leaves the group. A second person must agree.\n"
	 "Signing options: --operator NAME (this account by default), --key FILE (~/.qiao/<name>.key by default), --wait SECONDS (10)."},
	{"link_number", "第 {0} 行不是有效的证件号码", "line {0} is no valid ID number"},
	{"link_what", "要两个不同的证件号码", "two different ID numbers are needed"},
	{"link_already", "这两个号码已经关联", "these two are linked already"},
	{"link_too_many", "一个人最多关联 8 个号码", "a person has at most 8 numbers"},
	{"link_not_there", "这两个号码没有关联", "these two are not linked"},
	{"link_over_cap", "关联后合计超过最高档次", "linked numbers are above the highest tier together"},
	{"link_double", "关联后同一资助方当年有两笔", "linked numbers have two payments of one sponsor"},
	{"cap_b_outside", "已发出的补助与社保所知的其他补助合计超过最高档次", "what was instructed and what others subsidised is above the highest tier"},
	{"trace_outside", "  社保账户上另有其他补助、资助 {0} 元（不经本系统）", "  the account has {0} yuan of others' subsidies that did not come through Qiao"},
	{"trace_linked", "  关联号码（令牌）{0}", "  linked number (token) {0}"},
	{"cmd_reverse", "申请退库：把已征收的一笔补助退回", "have a collected subsidy refunded"},
	{"cmd_reverse.help",
	 "请税务把已征收的一笔补助全额退库，引用原电子税票号；社保随后从个人账户扣回。金额从不修改：要改就退库后重新申报。\n"
	 "--refund 03 结算退费，04 误收退费（AAE494）。动钱的决定：要由另一个人 qiao approve 才执行。\n"
	 "签名：--operator 姓名（默认本账号），--key 私钥文件（默认 ~/.qiao/<姓名>.key），--wait 秒数（默认 10）。\n\n退出状态：0 已执行或等待同意；1 被拒绝；3 网关还没有处理。",
	 "Asks the bureau to refund a collected subsidy, whole, citing its tax receipt; the SSA then takes it off the account. Amounts are\n"
	 "never edited: refund, then declare anew. --refund 03 settlement, 04 collected in error (AAE494). It moves money: a second person\n"
	 "must say qiao approve.\n"
	 "Signing options: --operator NAME (this account by default), --key FILE (~/.qiao/<name>.key by default), --wait SECONDS (10).\n\n"
	 "Example: qiao reverse 12345-67890 7 --refund 04 --reason 'paid for the wrong year'\n"
	 "Exit status: 0 done, or it waits for approval; 1 refused; 3 the gateway has not taken it yet."},
	{"reverse_refund", "请写明 --refund 03（结算退费）或 --refund 04（误收退费）", "say --refund 03 (settlement) or --refund 04 (collected in error)"},
	{"cmd_approve", "第二个人同意一项决定", "agree, as the second person, to a decision"},
	{"cmd_approve.help",
	 "动钱的决定要两个人：第一个人提出后等待，由另一个人用自己的密钥同意，随即执行。同一个人不能同意自己的决定。\n"
	 "签名：--operator 姓名（默认本账号），--key 私钥文件（默认 ~/.qiao/<姓名>.key），--wait 秒数（默认 10）。\n\n退出状态：0 已执行；1 被拒绝；3 网关还没有处理。",
	 "What moves money needs two persons: the first one's decision waits until another one agrees with a key of their own; then it is\n"
	 "carried out. Nobody approves what they decided themselves. qiao operations lists what waits.\n"
	 "Signing options: --operator NAME (this account by default), --key FILE (~/.qiao/<name>.key by default), --wait SECONDS (10).\n\nExit status: 0 carried out; 1 refused; 3 the gateway has not taken it yet."},
	{"cmd_decline", "第二个人不同意一项决定", "turn down a decision that waits"},
	{"cmd_decline.help", "让等待同意的决定作罢。\n签名：--operator 姓名（默认本账号），--key 私钥文件（默认 ~/.qiao/<姓名>.key），--wait 秒数（默认 10）。",
	 "Ends a decision that waits for a second person.\nSigning options: --operator NAME (this account by default), --key FILE (~/.qiao/<name>.key by default), --wait SECONDS (10)."},
	{"cmd_operations", "列出人所作的决定及结果", "list what people decided, and what became of it"},
	{"cmd_operations.help", "列出所有决定：时间、种类、对象、谁提出、谁同意、结果、原因。给出编号（前几位）则只看这一项。\n\n"
	 "退出状态：0 没有等待的；1 有等待第二个人的。",
	 "All decisions: when, what kind, about what, who decided, who approved, outcome, reason. With an id (or how it begins): that one.\n\n"
	 "Exit status: 0 none waits; 1 some wait for a second person."},
	{"operations_none", "没有人作过决定", "nobody has decided anything"},
	{"operations_id", "编号", "OPERATION"},
	{"operations_kind", "种类", "KIND"},
	{"operations_subject", "对象", "ABOUT"},
	{"operations_argument", "参数", "ARGUMENT"},
	{"operations_who", "提出", "OPERATOR"},
	{"operations_second", "同意", "APPROVER"},
	{"operations_state", "状态", "STATE"},
	{"operations_reason", "说明", "WHY"},
	{"operate_reason", "请用 --reason 写明原因", "say why: --reason TEXT"},
	{"operate_long", "--reason 不超过 199 字节，--document 不超过 99 字节", "--reason takes at most 199 bytes, --document 99"},
	{"operate_wait", "--wait 要写成 0 到 3600 的秒数", "--wait: expected seconds, 0 to 3600"},
	{"operate_which", "请给出决定的编号（至少前 8 位，见 qiao operations）", "name the operation by 8 or more of its digits (qiao operations)"},
	{"operate_row", "请给出付款编号，或回执号和行号", "name a payment, or a receipt and a row"},
	{"operate_subject", "要写成：回执号 行号，如 12345-67890 7", "expected: RECEIPT ROW, such as 12345-67890 7"},
	{"operate_several", "“{0}”对应不止一个；请写得更完整", "{0} is more than one; write more of it"},
	{"operate_nothing", "没有“{0}”", "there is no {0}"},
	{"operate_waiting", "等待网关处理 {0} ...", "waiting for the gateway to take {0} ..."},
	{"operate_sent", "决定 {0} 已发出，网关还没有处理；以后可查：qiao operations {0}",
	 "operation {0} is sent; the gateway has not taken it yet. Look again: qiao operations {0}"},
	{"operate_done", "决定 {0} 已执行", "operation {0} is done"},
	{"operate_unapproved", "决定 {0} 要由另一个人同意：qiao approve {0}", "operation {0} needs a second person: qiao approve {0}"},
	{"operate_refused", "决定 {0} 被拒绝：{1}", "operation {0} is refused: {1}"},
	{"operation_held", "暂存", "held"},
	{"operation_waiting_approval", "等待同意", "waits for approval"},
	{"operation_done", "已执行", "done"},
	{"operation_refused", "被拒绝", "refused"},
	{"operation_unknown", "网关不认识这种决定", "the gateway does not know this kind of operation"},
	{"operation_not_found", "没有这项决定", "there is no such operation"},
	{"operation_not_waiting", "它并不在等待同意", "it does not wait for approval"},
	{"operation_own", "不能同意或否决自己提出的", "nobody judges what they decided themselves"},
	{"operation_declined", "第二个人不同意", "the second person declined"},
	{"subject_not_found", "没有这一行或这笔付款", "there is no such row or payment"},
	{"withdraw_instructed", "已经发往税务，只能退库", "it is instructed already: only a reversal helps"},
	{"withdraw_incomplete", "名册还没有收全，收全后再撤回", "its roster is not there as a whole yet"},
	{"withdraw_ended", "已经了结，无可撤回", "it has ended already"},
	{"reversal_reason_unknown", "退款原因只能是03（结算退款）或04（误收退款）",
	 "the reason is 03 (refund at settlement) or 04 (collected in error)"},
	{"not_collected", "税务还没有收到这笔钱，无款可退", "the tax bureau has not collected it"},
	{"no_receipt", "还没有电子税票号，暂时不能退款", "there is no tax receipt yet to cite"},
	{"already_being_reversed", "已经在办理退款", "a refund of it is being asked for already"},
	{"already_refunded", "已经退款", "it has been refunded already"},

	{"cmd_audit", "谁在何时打开或送出过身份信息", "who opened or handed over identities, and when"},
	{"cmd_audit.help",
	 "列出身份信息（姓名、公民身份号码）每一次解封或送出的记录：时间、程序、系统用户、用途、批次、人数。\n"
	 "每批一条，内容不含任何个人信息。批次是名册编号、发给税务或社保的请求编号，或主题的位置。\n"
	 "--from、--to：从哪一天到哪一天（含），如 2026-12-31。--role：只看 village、tax、ssa、trace 或 keys。\n"
	 "记录一条扣一条：改动、抽走或插入一条，后面的链就断了。不论列出哪几天，每次都从头核对整条链，\n"
	 "断在哪个文件、哪一行会指出来。末条摘要请抄录在别处：文件末尾被截掉或整份重写，只有对照它才能发现。\n"
	 "文件在数据目录的 audit 里，程序从不删除；法律要求对外提供的记录至少保存三年。\n\n"
	 "退出状态：0 链完整；1 链断了。",
	 "Lists each opening or hand-over of identities (names, ID numbers): time, role, system user, purpose, batch, persons.\n"
	 "One record a batch, nothing personal in it. A batch is a submission, a request to an agency, or a place in a topic.\n"
	 "--from, --to: from that day to that day, both included, such as 2026-12-31. --role: village, tax, ssa, trace or keys only.\n"
	 "Each record holds the digest of the one before it: changing, removing or inserting one breaks the chain behind it. All of\n"
	 "it is checked each time, whatever is listed, and a break is named by file and line. Note the last record's digest in\n"
	 "another place: only that shows when the end of a file was cut off, or all of it written anew.\n"
	 "The files lie in the data folder under audit; no program removes any. The law asks for three years at least.\n\n"
	 "Example: qiao audit --from 2026-12-01 --to 2026-12-31 --role tax\n"
	 "Exit status: 0 the chain is whole; 1 it is broken."},
	{"audit_date", "{0} 要写成日期，如 2026-12-31", "{0}: expected a date such as 2026-12-31"},
	{"audit_no_role", "--role：没有“{0}”；只有 village、tax、ssa、trace、keys", "--role: no {0}; there are village, tax, ssa, trace, keys"},
	{"audit_none", "没有记录", "no records"},
	{"audit_role", "程序", "ROLE"},
	{"audit_user", "用户", "USER"},
	{"audit_purpose", "用途", "PURPOSE"},
	{"audit_batch", "批次", "BATCH"},
	{"audit_count", "人数", "PERSONS"},
	{"audit_changed", "{0}:{1}：与上一条接不上：上一条被改过，或中间的记录被抽走或插入",
	 "{0}:{1}: does not continue the line before it: that one was changed, or lines were taken out or put in"},
	{"audit_unreadable", "{0}:{1}：不是记录", "{0}:{1}: is no record"},
	{"audit_whole", "{0}：{1} 条记录，末条摘要 {2}", "{0}: {1} records, digest of the last {2}"},
	{"audit_begins", "{0}：更早月份的文件不在这里", "{0}: files of earlier months are not here"},
	{"audit_torn", "{0}：末行没有写完（程序中断或磁盘已满）；下一条记录会注明",
	 "{0}: the last line was cut short (a program killed, a full disk); the next record will say so"},
	{"audit_broken", "链断了 {0} 处", "the chain is broken in {0} places"},
	{"payments_opened", "读取缴款", "payments opened"},
	{"batch_to_tax", "送税务征收", "batch to the tax bureau"},
	{"enquiries_opened", "读取参保查询", "enquiries opened"},
	{"enquiry_to_ssa", "向社保查询", "enquiry to the SSA"},
	{"feedback_opened", "读取入账反馈", "feedback opened"},
	{"feedback_to_ssa", "向社保反馈", "feedback to the SSA"},
	{"roster_opened", "读取收件名册", "roster opened"},
	{"cover_opened", "读取补助登记", "cover opened"},
	{"answer_to_village", "写给村（居）的回执", "answer to the village"},
	{"number_looked_up", "按号码查询", "looked up by number"},
	{"torn_line", "上一行没有写完", "the line before was cut short"},

	{"cmd_backup", "运行中备份", "copy everything that cannot be made anew, while running"},
	{"cmd_backup.help",
	 "把总账、总线、收件和退回的文件、身份信息使用记录复制到一个新目录，程序照常运行。最后写 "
	 "manifest.sha256：没有它的备份不完整；\n"
	 "在备份目录里用 sha256sum -c manifest.sha256 核对。\n"
	 "恢复：停下程序，把备份复制到空的数据目录，再 qiao run。\n"
	 "不包含：密钥、配置、收件目录（各村自己的文件）。密钥要另外离线保存。",
	 "Copies ledger, bus, spool, refused files and the audit of identities to a fresh folder while the "
	 "programs go on. The manifest is written\n"
	 "last: a backup without manifest.sha256 did not end; check one with: sha256sum -c "
	 "manifest.sha256\n"
	 "To restore: stop the programs, copy the backup to an empty data folder, qiao run.\n"
	 "Not in it: keys, configuration, the drop folder (the villages' own files). Keep the keys "
	 "off this machine."},
	{"backup_usage", "要写明一个新目录：", "a fresh folder is needed:"},
	{"backup_working", "正在备份，已核对 {0} 个文件", "copying; {0} files checked"},
	{"backup_done", "已备份到 {0}，{1} 个文件。密钥不在其中：{2} 要另外离线保存",
	 "backed up to {0}, {1} files. Keys are not in it: keep {2} off this machine too"},

	/* ---- reconciliation ---- */
	{"cmd_reconcile", "与税务、社保两本账对账", "reconcile the ledger with the books of tax bureau and SSA"},
	{"cmd_reconcile.help",
	 "请税务局和社保经办机构交出某一期间的账，与本账逐笔核对：先按付款编号，没有编号的（如窗口手工录入）再按人、金额、日期。\n"
	 "结果按对账类别 1 至 7 计数，另有“预期稍后”（注明天数）；每处不一致是一项，见 qiao differences。\n"
	 "不写 --year 时显示最近一次的结果。--with tax,ssa（默认两本都对），--from、--to 日期（默认当年 1 月 1 日到现在），\n"
	 "--tax-file 文件：不向税务取账，直接与税务给的 CSV 文件核对（格式见 adapters/tax/README.zh.md）；只报告，不立项。\n"
	 "--wait 秒数（默认 600）。--format json、csv、xlsx（后者加 --output 文件）。\n"
	 "签名：--operator 姓名，--key 私钥文件。\n\n退出状态：0 没有待处理的不一致；1 有，或账没有对完；3 还没有结果。",
	 "Has tax bureau and SSA hand over their books of a period and matches them with the ledger, row by row: by payment id, and what\n"
	 "has none (keyed in at a counter) by person, amount and date. Tells the classes 1 to 7 and what is expected later, with its age\n"
	 "in days. Each difference is a case: qiao differences.\n"
	 "Without --year: what the newest run found. --with tax,ssa (both by default), --from and --to DATE (the year's beginning, now),\n"
	 "--tax-file FILE: the bureau's book as a CSV file (its form: adapters/tax/README.zh.md); told here and now, no case is made.\n"
	 "--wait SECONDS (600). --format json, csv, or xlsx with --output FILE. Signing options: --operator NAME, --key FILE.\n\n"
	 "Example: qiao reconcile --year 2026\n"
	 "Exit status: 0 no open difference; 1 some, or the run is incomplete; 3 no result yet."},
	{"cmd_differences", "两边说法不一的各项：列出、查看、交办、了结", "what two sides tell differently: list, show, assign, resolve"},
	{"cmd_differences.help",
	 "list：列出待处理的（--all 连同已了结的）；show 编号：一项的全部经过和处理办法；\n"
	 "assign 编号 姓名：交给某人；resolve 编号 --note 说明：了结，写明怎样解决的（不要写姓名或证件号码）。\n"
	 "后一次对账不再出现的，自动标为“已消失”；从不删除。签名：--operator 姓名，--key 私钥文件，--wait 秒数。\n\n"
	 "退出状态：0 没有待处理的，或已办；1 有待处理的，或被拒绝；3 网关还没有处理。",
	 "list: the open ones (--all: closed ones too). show N: all that happened to one, and what can be done about it.\n"
	 "assign N OWNER: somebody takes it on. resolve N --note TEXT: it is settled, and how (no names, no ID numbers).\n"
	 "What a later reconciliation does not find any more is marked as gone; nothing is ever deleted.\n"
	 "Signing options: --operator NAME, --key FILE, --wait SECONDS.\n\n"
	 "Example: qiao differences resolve 12 --note 'the bureau has corrected the amount'\n"
	 "Exit status: 0 none open, or done; 1 some open, or refused; 3 the gateway has not taken it yet."},
	{"reconcile_what", "要写成：--year 年 [--with tax,ssa] [--from 日期] [--to 日期]", "expected: --year Y [--with tax,ssa] [--from DATE] [--to DATE]"},
	{"reconcile_waiting", "等待对方交账、核对 ...", "waiting for the books and the matching ..."},
	{"reconcile_none", "还没有对过账", "nothing was reconciled yet"},
	{"reconcile_done", "第 {0} 次对账已完成", "reconciliation {0} is done"},
	{"reconcile_incomplete", "第 {0} 次对账没有完成：{1}；不作任何结论", "reconciliation {0} is incomplete: {1}; nothing is concluded from it"},
	{"reconcile_going", "第 {0} 次对账进行中：{1}", "reconciliation {0} goes on: {1}"},
	{"reconcile_book", "账", "book"},
	{"reconcile_class", "类别", "class"},
	{"reconcile_count", "笔数", "count"},
	{"reconcile_our_fen", "本方金额", "ours"},
	{"reconcile_their_fen", "对方金额", "theirs"},
	{"reconcile_oldest", "最长天数", "oldest days"},
	{"sheet_reconcile", "对账", "Reconciliation"},
	{"sheet_differences", "差异", "Differences"},
	{"fetching", "等待对方交账", "waiting for the books"},
	{"matching", "正在核对", "matching"},
	{"closing", "正在收尾", "closing"},
	{"totals_differ", "合计对不上", "its totals do not match"},
	{"entries_missing", "账中缺行", "entries are missing"},
	{"unknown_state", "账中有不认识的状态", "an entry has an unknown state"},
	{"book_missing", "对方没有交账", "a book did not come"},
	{"book_too_large", "账太大", "the book is too large"},
	{"too_many_differences", "差异太多", "too many differences"},
	{"superseded", "被新的一次代替", "another run took its place"},
	{"class.same", "1 一致", "1 same"},
	{"class.amount_differs", "2 金额不同", "2 amounts differ"},
	{"class.failed_there", "3 本方成功、对方失败", "3 ok here, failed there"},
	{"class.missing_there", "4 本方成功、对方没有", "4 ok here, not there"},
	{"class.ok_there", "5 本方失败、对方成功", "5 failed here, ok there"},
	{"class.unknown_here", "6 本方没有、对方成功", "6 not here, ok there"},
	{"class.both_failed", "7 两方都失败", "7 both failed"},
	{"class.expected_later", "预期稍后", "expected later"},
	{"difference_no", "编号", "no."},
	{"difference_kind", "差异", "difference"},
	{"difference_state", "状态", "state"},
	{"difference_owner_head", "经办", "owner"},
	{"difference_whom", "付款或人", "payment or person"},
	{"difference_ours", "本方", "ours"},
	{"difference_our_fen", "本方金额", "ours, yuan"},
	{"difference_theirs", "对方", "theirs"},
	{"difference_their_fen", "对方金额", "theirs, yuan"},
	{"difference_found", "发现", "found"},
	{"difference_note_head", "说明", "note"},
	{"difference_open", "待处理", "open"},
	{"difference_assigned", "已交办", "assigned"},
	{"difference_resolved", "已了结", "resolved"},
	{"difference_gone", "已消失", "gone"},
	{"difference_event.found", "发现", "found"},
	{"difference_event.found_again", "又出现", "found again"},
	{"difference_event.gone", "不再出现", "gone"},
	{"difference_event.assigned", "交办", "assigned"},
	{"difference_event.resolved", "了结", "resolved"},
	{"difference_cure", "处理办法：{0}", "what to do: {0}"},
	{"difference_not_found", "没有这一项差异", "there is no such difference"},
	{"difference_closed", "这一项已了结或已消失", "it is closed already"},
	{"difference_owner", "请写明交给谁（不超过 32 字节）", "name who takes it on (32 bytes at most)"},
	{"difference_note", "请写明怎样解决的", "say how it was settled"},
	{"differences_none", "没有待处理的差异", "no difference is open"},
	{"cure_amount", "与对方核对凭证上的金额，由错的一方更正", "compare the receipts; the side that is wrong corrects its amount"},
	{"cure_failed_there", "请对方说明失败原因；钱没有收到的，按对方的账处理", "ask why it failed there; where no money came, their book counts"},
	{"cure_missing_there", "把付款编号和凭证号告诉对方，请其查找", "give them payment and receipt number to look for"},
	{"cure_ok_there", "请对方确认已收到钱；确认后重新发送结果", "have them confirm the money and send the result again"},
	{"cure_unknown_here", "多为窗口手工录入：查明属于哪个村、哪笔，补报名册或请对方更正", "mostly keyed in at the counter: find out whose it is; a roster, or a correction there"},
	{"cure_twice", "同一笔在对方账上有两次：请对方退回一次", "it is there twice: have one of them refunded"},
	{"cure_look", "看日志 DIFFERENCE 和 qiao trace，与对方核对", "look at the log (DIFFERENCE) and qiao trace, and ask the other side"},
	{"difference.tax_amount_differs", "税务：金额不同", "tax bureau: another amount"},
	{"difference.tax_failed_there", "税务：那边失败", "tax bureau: failed there"},
	{"difference.tax_missing_there", "税务：那边没有", "tax bureau: not there"},
	{"difference.tax_ok_there", "税务：那边成功", "tax bureau: ok there"},
	{"difference.tax_unknown_here", "税务：本方没有", "tax bureau: not here"},
	{"difference.tax_twice", "税务：有两次", "tax bureau: there twice"},
	{"difference.ssa_amount_differs", "社保：金额不同", "SSA: another amount"},
	{"difference.ssa_failed_there", "社保：那边失败", "SSA: failed there"},
	{"difference.ssa_missing_there", "社保：那边没有", "SSA: not there"},
	{"difference.ssa_ok_there", "社保：那边成功", "SSA: ok there"},
	{"difference.ssa_unknown_here", "社保：本方没有", "SSA: not here"},
	{"difference.ssa_twice", "社保：有两次", "SSA: there twice"},
};
const int texts_for_operators_count = sizeof texts_for_operators / sizeof texts_for_operators[0];
