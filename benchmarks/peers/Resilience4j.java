// SPDX-License-Identifier: BSL-1.0

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** Measures resilience4j's circuit breaker, and prints a line for each window for brownout_peers --given. */
final class Resilience4j {
  private static final long BATCH_NS = 200_000;
  private static final int BATCHES = 2000;
  private static final int FEWEST_BATCHES = 20;

  /** Of the batches of two threads: a lock that both want makes them longer again. */
  private static final int SHORTER = 16;

  private static final long WARM_UP_NS = 2_000_000_000L;

  static void succeed(CircuitBreaker breaker, int times) {
    for (int i = 0; i < times; i++) {
      if (!breaker.tryAcquirePermission()) throw new IllegalStateException("resilience4j refused a call");
      breaker.onSuccess(0, TimeUnit.NANOSECONDS);
    }
  }

  static void beRefused(CircuitBreaker breaker, int times) {
    for (int i = 0; i < times; i++) {
      if (breaker.tryAcquirePermission()) throw new IllegalStateException("resilience4j admitted a call");
    }
  }

  /** Nanoseconds for one of so many. */
  static double timed(IntConsumer batch, int times) {
    final long began = System.nanoTime();
    batch.accept(times);
    return (double) (System.nanoTime() - began) / times;
  }

  static int timesForABatch(IntConsumer batch) {
    int times = 1;
    // Until the compiler has done what it does.
    for (final long until = System.nanoTime() + WARM_UP_NS; System.nanoTime() < until; ) {
      times = (int) Math.max(1, BATCH_NS / Math.max(timed(batch, times), 0.1));
    }
    return times;
  }

  static double median(double[] costs) {
    Arrays.sort(costs);
    return costs[costs.length / 2];
  }

  static double alone(IntConsumer batch) {
    final int times = timesForABatch(batch);
    final double[] costs = new double[BATCHES];
    for (int i = 0; i < BATCHES; i++) costs[i] = timed(batch, times);
    return median(costs);
  }

  /** Waits until the number is `least`, without giving the processor away. */
  private static void spin(AtomicInteger number, int least) {
    while (number.get() < least) Thread.onSpinWait();
  }

  /** The mean cost to each of two threads. Batches that did not overlap are left out; none when too few did. */
  static String together(IntConsumer batch) throws InterruptedException {
    final int times = Math.max(1, timesForABatch(batch) / SHORTER);
    final AtomicInteger ready = new AtomicInteger();
    final AtomicInteger started = new AtomicInteger();
    final AtomicInteger ended = new AtomicInteger();
    final long[][] others = new long[BATCHES + 1][2];
    final Thread second =
        new Thread(
            () -> {
              for (int number = 1; number <= BATCHES; number++) {
                ready.set(number);
                spin(started, number);
                others[number][0] = System.nanoTime();
                batch.accept(times);
                others[number][1] = System.nanoTime();
                ended.set(number);
              }
            });
    second.start();
    final double[] costs = new double[BATCHES];
    int found = 0;
    for (int number = 1; number <= BATCHES; number++) {
      spin(ready, number);
      started.set(number);
      final long began = System.nanoTime();
      batch.accept(times);
      final long mine = System.nanoTime();
      spin(ended, number);
      final long[] other = others[number];
      final double mean = ((mine - began) + (other[1] - other[0])) / 2.0;
      if (Math.min(mine, other[1]) - Math.max(began, other[0]) > 0.8 * mean) costs[found++] = mean / times;
    }
    second.join();
    return found < FEWEST_BATCHES ? "-" : String.format(Locale.ROOT, "%.1f", median(Arrays.copyOf(costs, found)));
  }

  static void measure(SlidingWindowType window, int size, String rule) throws Exception {
    final CircuitBreakerConfig config =
        CircuitBreakerConfig.custom().slidingWindowType(window).slidingWindowSize(size).build();
    final CircuitBreaker closed = CircuitBreaker.of("closed", config);
    final CircuitBreaker opened = CircuitBreaker.of("opened", config);
    opened.transitionToOpenState();
    final IntConsumer success = times -> succeed(closed, times);
    System.out.printf(Locale.ROOT, "resilience4j (Java %s)\t%s\t%.1f\t%s\t%.1f%n", Runtime.version().feature(),
        rule, alone(success), together(success), alone(times -> beRefused(opened, times)));
  }

  public static void main(String[] arguments) throws Exception {
    measure(SlidingWindowType.COUNT_BASED, 100, "50 % of 100 calls");
    measure(SlidingWindowType.TIME_BASED, 10, "50 % of the calls of 10 s");
  }
}
