#define _GNU_SOURCE
#include "digits.h"

#include <string.h>
#include <strings.h>

#include "bytes.h"
#include "speaker.h"

enum { END_PACKETS = 3, VOLUME = 10 /* dBm0 below nought */, END_BIT = 0x80, EVENT_SIZE = 4, LONGEST = 0xffff };

static const char DIGITS[] = "0123456789*#ABCD";

int digits_event_of(char digit)
{
    const char *place = digit ? strchr(DIGITS, digit) : NULL;
    return place ? (int)(place - DIGITS) : -1;
}

char digits_of_event(unsigned event)
{
    return event < sizeof DIGITS - 1 ? DIGITS[event] : 0;
}

/* A press longer than a duration can say goes on as a new segment without a marker (RFC 4733 2.5.1.3). */
static bool is_continued(const struct event_hearing *heard, const struct rtp_header *header, uint8_t event)
{
    uint32_t ahead = header->timestamp - heard->timestamp;
    return event == heard->event && !heard->has_ended && !header->marker && heard->duration > LONGEST - 4000 &&
           ahead >= heard->duration && ahead <= LONGEST;
}

void digits_hear(struct relay *relay, struct leg *leg, const struct rtp_header *header, const uint8_t *payload)
{
    struct event_hearing *heard = &leg->events;
    if (!heard->listens || header->payload_size < EVENT_SIZE || !digits_of_event(payload[0]))
        return;
    bool has_ended = payload[1] & END_BIT;
    uint16_t duration = read_u16(payload + 2);
    int32_t ahead = (int32_t)(header->timestamp - heard->timestamp);
    if (heard->has_heard && ahead == 0) {
        heard->has_ended = heard->has_ended || has_ended;
        heard->duration = duration > heard->duration ? duration : heard->duration;
        return;
    }
    if (heard->has_heard && ahead < 0)
        return; /* late news of an earlier one */
    bool is_new = !heard->has_heard || !is_continued(heard, header, payload[0]);
    *heard = (struct event_hearing){.listens = true, .has_heard = true, .has_ended = has_ended,
                                    .event = payload[0], .duration = duration, .timestamp = header->timestamp};
    if (is_new)
        notices_tell(&relay->notices, &(struct notice){.leg = leg->id, .kind = NOTICE_DIGIT,
                                                       .value = (uint32_t)digits_of_event(payload[0])});
}

void digits_send(struct relay *relay, struct leg *leg, const char *digits, unsigned tone_ms, unsigned gap_ms)
{
    struct digit_sender *sender = &leg->sender;
    for (; *digits && sender->queued < DIGITS_QUEUE; digits++) {
        if (digits_event_of(*digits) >= 0)
            sender->queue[sender->queued++] = *digits;
    }
    sender->tone_ticks = (tone_ms + RELAY_TICK_MS - 1) / RELAY_TICK_MS;
    sender->gap_ticks = (gap_ms + RELAY_TICK_MS - 1) / RELAY_TICK_MS;
    if (sender->queued)
        list_join(&relay->senders, &sender->link);
}

void digits_stop(struct leg *leg)
{
    struct digit_sender *sender = &leg->sender;
    if (speaker_sends_digit(leg))
        stream_change_source(&leg->stream);
    sender->phase = SENDER_IDLE;
    sender->queued = 0;
    list_leave(&sender->link);
}

/* The events at the clock of the audio that goes with them, else any. */
static bool find_events(const struct plan *plan, uint8_t *payload_type, uint32_t *clock_rate)
{
    uint8_t unused;
    uint32_t clock = codec_clock(plan_playable(plan, &unused));
    bool is_found = false;
    for (unsigned i = 0; i < plan->formats; i++) {
        const struct format *format = &plan->format[i];
        if (strcasecmp(format->encoding, "telephone-event") != 0 || (is_found && format->clock_rate != clock))
            continue;
        *payload_type = format->payload_type;
        *clock_rate = format->clock_rate;
        is_found = true;
    }
    return is_found;
}

static void begin_digit(struct leg *leg)
{
    struct digit_sender *sender = &leg->sender;
    sender->event = (uint8_t)digits_event_of(sender->queue[0]);
    memmove(sender->queue, sender->queue + 1, --sender->queued);
    sender->ticks = sender->tone_ticks;
    sender->duration = 0;
    sender->source = (struct rtp_header){0};
    stream_change_source(&leg->stream);
    if (find_events(&leg->plan, &sender->payload_type, &sender->clock_rate)) {
        sender->phase = SENDER_EVENT;
        sender->source.payload_type = sender->payload_type;
        return;
    }
    sender->phase = SENDER_TONE;
    dtmf_begin(&sender->maker, sender->event);
}

static void send_event(struct relay *relay, struct leg *leg, bool is_over)
{
    struct digit_sender *sender = &leg->sender;
    uint8_t payload[EVENT_SIZE] = {sender->event, (uint8_t)((is_over ? END_BIT : 0) | VOLUME)};
    write_u16(payload + 2, (uint16_t)(sender->duration > LONGEST ? LONGEST : sender->duration));
    speaker_send_payload(relay, leg, &sender->source, sender->clock_rate, payload, sizeof payload);
    sender->source.sequence++;
}

/* The next source begins after the digit, not where the digit began. */
static void end_digit(struct leg *leg)
{
    struct digit_sender *sender = &leg->sender;
    if (sender->phase == SENDER_END)
        leg->stream.timestamp += sender->duration;
    stream_change_source(&leg->stream);
    sender->phase = SENDER_GAP;
    sender->ticks = sender->gap_ticks;
}

static void send_tone(struct relay *relay, struct leg *leg)
{
    struct digit_sender *sender = &leg->sender;
    int16_t samples[SPEAKER_TICK_SAMPLES];
    dtmf_make(&sender->maker, samples, SPEAKER_TICK_SAMPLES);
    speaker_send(relay, leg, &sender->source, samples, SPEAKER_TICK_SAMPLES, false);
    sender->source.sequence++;
    sender->source.timestamp += SPEAKER_TICK_SAMPLES;
}

static void go_on(struct relay *relay, struct leg *leg)
{
    struct digit_sender *sender = &leg->sender;
    switch (sender->phase) {
    case SENDER_GAP:
        if (sender->ticks-- > 1)
            return;
        sender->phase = SENDER_IDLE;
        return;
    case SENDER_IDLE:
        if (sender->queued)
            begin_digit(leg);
        else
            list_leave(&sender->link);
        if (sender->phase != SENDER_IDLE)
            go_on(relay, leg);
        return;
    case SENDER_EVENT:
        sender->duration += sender->clock_rate / 1000 * RELAY_TICK_MS;
        send_event(relay, leg, false);
        if (--sender->ticks == 0) {
            sender->phase = SENDER_END;
            sender->ticks = END_PACKETS;
        }
        return;
    case SENDER_END:
        send_event(relay, leg, true);
        break;
    case SENDER_TONE:
        send_tone(relay, leg);
        break;
    }
    if (--sender->ticks == 0)
        end_digit(leg);
}

void digits_tick(struct relay *relay)
{
    struct link *next;
    for (struct link *link = relay->senders.next; link != &relay->senders; link = next) {
        next = link->next;
        go_on(relay, LIST_OWNER(link, struct leg, sender.link));
    }
}
