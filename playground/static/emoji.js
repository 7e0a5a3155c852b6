// Owns: emoji shortcodes and how a single emoji is shown. Status circles and squares are drawn by CSS,
// so a machine without an emoji font still shows which colour a status mark has.

import { el } from "./dom.js";

const TABLE = `
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|ok_hand 👌|wave 👋|clap 👏|pray 🙏|muscle 💪|raised_hands 🙌|handshake 🤝|point_right 👉|point_left 👈|point_up ☝️
point_down 👇|eyes 👀|brain 🧠|speech_balloon 💬|thought_balloon 💭|bust_in_silhouette 👤|busts_in_silhouette 👥
smile 😄|smiley 😃|grinning 😀|grin 😁|joy 😂|slightly_smiling_face 🙂|wink 😉|blush 😊|heart_eyes 😍|thinking_face 🤔|neutral_face 😐|confused 😕
slightly_frowning_face 🙁|worried 😟|cry 😢|sob 😭|scream 😱|rage 😡|sunglasses 😎|partying_face 🥳|sleeping 😴|zzz 💤|robot_face 🤖|star-struck 🤩|sweat_smile 😅
heart ❤️|orange_heart 🧡|yellow_heart 💛|green_heart 💚|blue_heart 💙|purple_heart 💜|broken_heart 💔|fire 🔥|sparkles ✨|star ⭐|star2 🌟|zap ⚡|boom 💥|tada 🎉|confetti_ball 🎊|balloon 🎈|gift 🎁|trophy 🏆|medal 🏅|first_place_medal 🥇|second_place_medal 🥈|third_place_medal 🥉|rocket 🚀|dart 🎯|checkered_flag 🏁|triangular_flag_on_post 🚩|crown 👑
red_circle 🔴|large_orange_circle 🟠|orange_circle 🟠|large_yellow_circle 🟡|yellow_circle 🟡|large_green_circle 🟢|green_circle 🟢|large_blue_circle 🔵|blue_circle 🔵|large_purple_circle 🟣|large_brown_circle 🟤|white_circle ⚪|black_circle ⚫
large_red_square 🟥|large_orange_square 🟧|large_yellow_square 🟨|large_green_square 🟩|large_blue_square 🟦|large_purple_square 🟪|white_large_square ⬜|black_large_square ⬛|large_blue_diamond 🔷|small_blue_diamond 🔹|large_orange_diamond 🔶|small_orange_diamond 🔸
white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎|heavy_multiplication_x ✖️|warning ⚠️|exclamation ❗|question ❓|grey_question ❔|bangbang ‼️|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|information_source ℹ️|rotating_light 🚨|construction 🚧|sos 🆘|new 🆕|ok 🆗|up 🆙|free 🆓|cool 🆒|100 💯|recycle ♻️
arrow_up ⬆️|arrow_down ⬇️|arrow_left ⬅️|arrow_right ➡️|arrow_upper_right ↗️|arrow_lower_right ↘️|arrow_up_small 🔼|arrow_down_small 🔽|arrow_forward ▶️|fast_forward ⏩|double_vertical_bar ⏸️|black_square_for_stop ⏹️|leftwards_arrow_with_hook ↩️|arrows_counterclockwise 🔄|repeat 🔁|heavy_plus_sign ➕|heavy_minus_sign ➖
hourglass ⌛|hourglass_flowing_sand ⏳|watch ⌚|alarm_clock ⏰|stopwatch ⏱️|timer_clock ⏲️|clock1 🕐|clock9 🕘|calendar 📆|date 📅|spiral_calendar_pad 🗓️|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|clipboard 📋|memo 📝|pencil2 ✏️|page_facing_up 📄|bookmark_tabs 📑|books 📚|book 📖|label 🏷️|bookmark 🔖|link 🔗|paperclip 📎|pushpin 📌|round_pushpin 📍|mag 🔍|mag_right 🔎|lock 🔒|unlock 🔓|key 🔑|bell 🔔|no_bell 🔕|mega 📣|loudspeaker 📢|inbox_tray 📥|outbox_tray 📤|package 📦|email ✉️|envelope ✉️|incoming_envelope 📨|phone ☎️|telephone_receiver 📞|computer 💻|gear ⚙️|wrench 🔧|hammer 🔨|hammer_and_wrench 🛠️|shield 🛡️|bulb 💡|battery 🔋|electric_plug 🔌|microscope 🔬|crystal_ball 🔮|scales ⚖️|moneybag 💰|money_with_wings 💸|dollar 💵|euro 💶|yen 💴|credit_card 💳|chart 💹|briefcase 💼|office 🏢|factory 🏭|hospital 🏥|bank 🏦|school 🏫|house 🏠|globe_with_meridians 🌐|earth_africa 🌍|earth_asia 🌏|airplane ✈️|ship 🚢|ambulance 🚑|compass 🧭|world_map 🗺️|sunny ☀️|partly_sunny ⛅|cloud ☁️|rain_cloud 🌧️|umbrella ☔|snowflake ❄️|rainbow 🌈|ocean 🌊|seedling 🌱|herb 🌿|evergreen_tree 🌲|cactus 🌵|sunflower 🌻|rose 🌹|coffee ☕|beer 🍺|cake 🍰|pizza 🍕|apple 🍎|dog 🐶|cat 🐱|bug 🐛|bee 🐝|turtle 🐢|rabbit 🐰|snail 🐌|unicorn_face 🦄|wastebasket 🗑️|file_folder 📁|open_file_folder 📂|card_index 📇|mortar_board 🎓|puzzle_piece 🧩|thermometer 🌡️|pill 💊|traffic_light 🚦|vertical_traffic_light 🚦|palm_tree 🌴|hash #️⃣|one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|six 6️⃣|seven 7️⃣|eight 8️⃣|nine 9️⃣|zero 0️⃣|keycap_ten 🔟
flag-cn 🇨🇳|cn 🇨🇳|flag-us 🇺🇸|us 🇺🇸|flag-gb 🇬🇧|gb 🇬🇧|flag-de 🇩🇪|de 🇩🇪|flag-fr 🇫🇷|fr 🇫🇷|flag-jp 🇯🇵|jp 🇯🇵|flag-eu 🇪🇺`;

const BY_NAME = new Map(TABLE.trim().split(/[|\n]/).map((pair) => pair.split(" ")));

const DRAWN = new Map(Object.entries({
  "🔴": "round red", "🟠": "round orange", "🟡": "round yellow", "🟢": "round green", "🔵": "round blue",
  "🟣": "round purple", "🟤": "round brown", "⚪": "round white", "⚫": "round black",
  "🟥": "square red", "🟧": "square orange", "🟨": "square yellow", "🟩": "square green", "🟦": "square blue",
  "🟪": "square purple", "⬜": "square white", "⬛": "square black",
}));

const TONES = { "skin-tone-2": "🏻", "skin-tone-3": "🏼", "skin-tone-4": "🏽", "skin-tone-5": "🏾", "skin-tone-6": "🏿" };

/** Matches emoji characters that Slack shows as pictures. */
export const EMOJI_RUN = /(?:\p{RI}\p{RI}|(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)\p{EMod}?(?:\u200D\p{Extended_Pictographic}\uFE0F?\p{EMod}?)*)/gu;

/** The node for `:name:`, or null when the name is unknown (Slack then leaves the text as typed). */
export function emojiNamed(name, tone) {
  const character = BY_NAME.get(name);
  return character ? emojiNode(character + (TONES[tone] ?? ""), `:${name}:`) : null;
}

export function emojiNode(character, label = character) {
  const drawn = DRAWN.get(character);
  const kind = drawn ? `emoji mark ${drawn}` : "emoji";
  return el("span", { class: kind, role: "img", "aria-label": label, title: label }, character);
}
