package org.kfac4j.spark;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Objects handed from one thread to another of one process by reference. With a local master,
 * driver and tasks share a process; serializing tens of megabytes from one to the other and back
 * takes a twentieth of an iteration. What is handed over is not changed by anyone.
 */
final class Handover {
  private static final AtomicLong NEXT = new AtomicLong();
  private static final Map<Long, Map<Long, Object>> ROUNDS = new ConcurrentHashMap<>();

  private Handover() {}

  /** Begins a round of handing over. */
  static long open() {
    long round = NEXT.incrementAndGet();
    ROUNDS.put(round, new HashMap<>());
    return round;
  }

  static boolean isOpen(long round) {
    return ROUNDS.containsKey(round);
  }

  /**
   * Leaves an object to be fetched until the round ends.
   *
   * @return its ticket
   * @throws IllegalStateException if the round has ended, as it may have for a task of a job that
   *     was given up
   */
  static long leave(long round, Object object) {
    Map<Long, Object> objects = objects(round);
    long ticket = NEXT.incrementAndGet();
    synchronized (objects) {
      objects.put(ticket, object);
    }
    return ticket;
  }

  /** The object that was left for {@code ticket}; may be fetched more than once. */
  static Object fetch(long round, long ticket) {
    Map<Long, Object> objects = objects(round);
    synchronized (objects) {
      Object object = objects.get(ticket);
      if (object == null) {
        throw new IllegalStateException("nothing was handed over for ticket " + ticket);
      }
      return object;
    }
  }

  /** Fetches the object that was left for {@code ticket} and forgets it. */
  static Object take(long round, long ticket) {
    Object object = fetch(round, ticket);
    Map<Long, Object> objects = objects(round);
    synchronized (objects) {
      objects.remove(ticket);
    }
    return object;
  }

  /** Ends a round and forgets its objects. */
  static void close(long round) {
    ROUNDS.remove(round);
  }

  /** Rounds that have not ended. */
  static int openRounds() {
    return ROUNDS.size();
  }

  private static Map<Long, Object> objects(long round) {
    @Nullable Map<Long, Object> objects = ROUNDS.get(round);
    if (objects == null) {
      throw new IllegalStateException("round " + round + " of handing over has ended");
    }
    return objects;
  }
}
