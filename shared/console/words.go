package console

import (
	"net/http"
	"strings"
)

// zh is the page in Chinese, by its English words. What a host, a cloud or a person wrote
// (rules, reasons, ids) is shown as it was written.
var zh = map[string]string{
	"HAVIPs":                      "高可用虚拟 IP",
	"Stories":                     "处理记录",
	"Dead letters":                "死信",
	"Overview":                    "总览",
	"Skip to the content":         "跳到正文",
	"Times are UTC.":              "时间均为 UTC。",
	"Read at":                     "读取于",
	"live":                        "实时",
	"reconnecting …":              "正在重新连接……",
	"All is well":                 "一切正常",
	"need a person":               "个需要人工处理",
	"of":                          "／",
	"What is wrong":               "问题",
	"Filter":                      "筛选",
	"Name, id, address, status …": "名称、ID、地址、状态……",
	"Sort by":                     "排序",
	"problems first":              "问题优先",
	"name":                        "名称",
	"last outcome":                "最近结果",
	"Show":                        "显示",
	"Show all":                    "显示全部",
	"Name":                        "名称",
	"Address":                     "地址",
	"Status":                      "状态",
	"Attached":                    "已绑定",
	"Serving":                     "在服务",
	"Last":                        "最近",
	"Mode":                        "模式",
	"nobody":                      "无",
	"stranger":                    "陌生实例",
	"mute":                        "无应答",
	"unknown":                     "未知",
	"healthy":                     "健康",
	"failed":                      "故障",
	"unread":                      "无法读取",
	"frozen":                      "已冻结",
	"until":                       "直到",
	"by":                          "操作人",
	"ago":                         "前",
	"s":                           "秒",
	"min":                         "分钟",
	"h":                           "小时",
	"d":                           "天",
	"open":                        "进行中",
	"open story":                  "进行中的记录",
	"look":                        "第几次查看：",
	"Not all is shown; narrow it down with the filter.":      "未全部显示；请用筛选缩小范围。",
	"No HAVIP matches the filter.":                           "没有匹配的虚拟 IP。",
	"The newest roster is refused; the last good one serves": "最新的名册被拒绝，仍按上一份有效名册运行",
	"Something can't be read now":                            "有内容暂时无法读取",
	"The brake lets no failover through":                     "刹车已闭合，故障切换暂停",
	"Started":                                                "开始",
	"HAVIP":                                                  "虚拟 IP",
	"Event":                                                  "事件",
	"Outcome":                                                "结果",
	"Calls":                                                  "调用",
	"Why":                                                    "原因",
	"Nothing has happened yet.":                              "还没有发生过什么。",
	"All stories":                                            "全部记录",
	"Older stories":                                          "更早的记录",
	"Newest stories":                                         "最新的记录",
	"of one HAVIP":                                           "（单个虚拟 IP）",
	"Received":                                               "最近收到",
	"Times":                                                  "次数",
	"From":                                                   "来自",
	"Type":                                                   "类型",
	"Reason":                                                 "原因",
	"None: every event could be read.":                       "没有：所有事件都能读懂。",
	"More of them: havip dead list":                          "其余请用 havip dead list 查看",
	"Story":                                                  "记录",
	"Wanted":                                                 "目标",
	"hold with":                                              "绑定",
	"release":                                                "释放",
	"Deadline":                                               "期限",
	"Next look":                                              "下次查看",
	"Ended":                                                  "结束",
	"Advice":                                                 "建议",
	"Code":                                                   "错误码",
	"Request":                                                "请求",
	"Superseded by":                                          "被取代于",
	"Probe":                                                  "探测",
	"What happened, to scale":                                "经过（按时间比例）",
	"What happened, step by step":                            "经过（逐步）",
	"The list below tells the same in words.": "下面的列表用文字说明同样的内容。",
	"serving":                      "服务",
	"waits":                        "等待",
	"looks":                        "查看",
	"calls":                        "调用",
	"Time":                         "时间",
	"What":                         "事项",
	"held by":                      "绑定于",
	"serves":                       "在服务",
	"waits:":                       "等待：",
	"the HAVIP can't be read:":     "无法读取该虚拟 IP：",
	"event arrived":                "事件到达",
	"There is nothing here":        "这里没有内容",
	"This is not allowed":          "不允许",
	"It can't be read now":         "暂时无法读取",
	"Back to the overview":         "返回总览",
	"attached":                     "已绑定",
	"unchanged":                    "无需变更",
	"ignored":                      "已忽略",
	"superseded":                   "被取代",
	"refused":                      "被拒绝",
	"timedout":                     "超时",
	"serving.lost":                 "服务中断",
	"serving.restored":             "服务恢复",
	"accepted":                     "已接受",
	"busy":                         "忙",
	"InUse":                        "使用中",
	"Available":                    "可用",
	"Associating":                  "绑定中",
	"Unassociating":                "解绑中",
	"act":                          "执行",
	"observe":                      "观察",
	"paused":                       "暂停",
	"Attach":                       "绑定",
	"Detach":                       "解绑",
	"operator":                     "运维人员",
	"reporter":                     "上报方",
	"Log in":                       "登录",
	"Log out":                      "退出",
	"Operator's token":             "运维人员令牌",
	"This is no operator's token.": "这不是运维人员的令牌。",
	"The browser keeps a session of 12 hours, never the token.": "浏览器只保留 12 小时的会话，不保留令牌。",
	"You came by a link from another site, and are logged in?":  "从其他网站的链接过来，并且已登录？",
	"Go on": "继续",
	"Nobody can log in: HAVIP_OPERATOR_TOKEN is not set on the host.": "无法登录：主机上没有设置 HAVIP_OPERATOR_TOKEN。",
	"This needs an operator":               "需要运维人员权限",
	"This can't be done":                   "无法执行",
	"Recover":                              "恢复",
	"Freeze":                               "冻结",
	"Freeze all":                           "全部冻结",
	"Redrive":                              "重新投递",
	"Plan":                                 "计划",
	"Do":                                   "操作",
	"Release":                              "释放",
	"chosen by the roster":                 "由名册决定",
	"Release it even while it serves":      "即使正在服务也释放",
	"Release even the last healthy holder": "即使是最后一个健康实例也释放",
	"Plan it":                              "查看计划",
	"Nothing is done before you confirm the plan.":          "确认计划之前不会执行任何操作。",
	"The address may lose its serving holder for a moment.": "该地址可能短暂失去服务实例。",
	"Ask all the same":          "仍然提交",
	"Do it":                     "执行",
	"Change it":                 "修改",
	"every HAVIP of the roster": "名册中的全部虚拟 IP",
	"We keep our hands off it so long. Events are remembered, and a recover by hand passes.": "冻结期间不做任何操作；事件仍会记录，人工恢复仍可执行。",
	"For":        "时长",
	"end it now": "立即结束冻结",
	"A reason is missing; it stands in the outcome.": "缺少原因；原因会写入结果。",
	"Dead letter":   "死信",
	"As it arrived": "原文",
	"I have read it, and say it as an operator": "我已阅读，并以运维人员身份提交",
	"Read and redrive":                          "阅读并重新投递",
	"Lift the brake":                            "松开刹车",
	"Wait":                                      "等待",
	"Done":                                      "无需操作",
	"Refuse":                                    "拒绝",
}

// say is an English text of ours in a language.
func say(lang, text string) string {
	if said, known := zh[text]; known && lang == "zh" {
		return said
	}
	return text
}

const langCookie = "havip-lang"

// language is what was asked for last by ?lang=, else what the browser likes best of the
// two. What is asked for is kept.
func language(w http.ResponseWriter, r *http.Request) string {
	if asked := r.URL.Query().Get("lang"); sheets[asked] != nil {
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: asked, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteStrictMode}) //nolint:gosec // no secret
		return asked
	}
	if kept, err := r.Cookie(langCookie); err == nil && sheets[kept.Value] != nil {
		return kept.Value
	}
	for _, one := range strings.Split(strings.ToLower(r.Header.Get("Accept-Language")), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(one), ";")
		if base, _, _ := strings.Cut(tag, "-"); sheets[base] != nil {
			return base
		}
	}
	return "en"
}
