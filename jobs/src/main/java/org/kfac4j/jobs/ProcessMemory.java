package org.kfac4j.jobs;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.bytedeco.javacpp.Pointer;
import org.kfac4j.InvalidInputException;

/**
 * What memory a driver's or an executor's process may have, as far as its settings say: a heap, and
 * bounds of all that is resident, the heap and native arrays outside of it. JavaCPP fails what
 * allocates beyond its bound, YARN and Kubernetes kill a process that outgrows its container. What
 * is not known is no bound.
 *
 * @param role "driver" or "executor", as in Spark's keys
 * @param heap bytes at most
 * @param javacpp JavaCPP's properties that are set, by their last name
 * @param options of Java that Spark's settings give it
 * @param container bytes, 0 if there is none or its size is not known
 */
record ProcessMemory(
    String role, long heap, Map<String, String> javacpp, String options, long container) {
  private static final String DRIVER = "driver";
  private static final String EXECUTOR = "executor";

  private static final String PREFIX = "org.bytedeco.javacpp.";

  /** Of what JavaCPP has allocated itself. ND4J's arrays are not, but the next bound follows it. */
  private static final List<String> OWN = List.of("maxBytes", "maxbytes");

  /** Of all that is resident; the first spelling wins. */
  private static final List<String> RESIDENT = List.of("maxPhysicalBytes", "maxphysicalbytes");

  /** Whether JavaCPP frees nothing by itself; then it does not look at its bounds either. */
  private static final List<String> UNWATCHED = List.of("noPointerGC", "nopointergc");

  private static final Pattern OPTION =
      Pattern.compile("-D" + Pattern.quote(PREFIX) + "(\\w+)(?:=([^\\s\"']*))?");

  /** Of Spark 3.5, in MiB and as a share of the heap. */
  private static final long LEAST_OVERHEAD = 384;

  private static final double OVERHEAD = 0.1;

  /** MiB that YARN makes containers a multiple of, if it is not told otherwise. */
  private static final long YARN_STEP = 1024;

  ProcessMemory {
    javacpp = Map.copyOf(javacpp);
  }

  /** This process. */
  static ProcessMemory driver(SparkConf spark) {
    Map<String, String> javacpp = new TreeMap<>();
    for (String name : System.getProperties().stringPropertyNames()) {
      if (name.startsWith(PREFIX)) {
        javacpp.put(name.substring(PREFIX.length()), System.getProperty(name, ""));
      }
    }
    return new ProcessMemory(
        DRIVER,
        Runtime.getRuntime().maxMemory(),
        javacpp,
        spark.get("spark.driver.extraJavaOptions", ""),
        container(spark, DRIVER));
  }

  /** Every executor, with a heap of so many bytes. */
  static ProcessMemory executor(SparkConf spark, long heap) {
    String options = spark.get("spark.executor.extraJavaOptions", "");
    Map<String, String> javacpp = new TreeMap<>();
    Matcher each =
        OPTION.matcher(spark.get("spark.executor.defaultJavaOptions", "") + " " + options);
    while (each.find()) {
      javacpp.put(each.group(1), Objects.requireNonNullElse(each.group(2), "")); // The last counts.
    }
    return new ProcessMemory(EXECUTOR, heap, javacpp, options, container(spark, EXECUTOR));
  }

  private static long container(SparkConf spark, String role) {
    String master = spark.get("spark.master", "");
    boolean yarn = master.startsWith("yarn");
    boolean kubernetes = master.startsWith("k8s");
    boolean contained =
        role.equals(EXECUTOR) || spark.get("spark.submit.deployMode", "client").equals("cluster");
    if (!contained || !(yarn || kubernetes)) {
      return 0;
    }
    String memory = "spark." + role + ".memory";
    long heap = spark.getSizeAsMb(memory, "1g");
    double usual =
        kubernetes ? spark.getDouble("spark.kubernetes.memoryOverheadFactor", OVERHEAD) : OVERHEAD;
    double factor = spark.getDouble(memory + "OverheadFactor", usual);
    long overhead =
        spark.contains(memory + "Overhead")
            ? spark.getSizeAsMb(memory + "Overhead")
            : Math.max(LEAST_OVERHEAD, (long) (factor * heap));
    boolean offHeap =
        role.equals(EXECUTOR) && spark.getBoolean("spark.memory.offHeap.enabled", false);
    long all =
        heap
            + overhead
            + (offHeap ? spark.getSizeAsBytes("spark.memory.offHeap.size", "0") >> 20 : 0);
    long rounded = yarn ? (all + YARN_STEP - 1) / YARN_STEP * YARN_STEP : all;
    return rounded << 20;
  }

  /** Bytes that JavaCPP lets be resident, with a heap of so many bytes; 0 for no bound. */
  long allowed(long withHeap) {
    if (Set.of("true", "t", "").contains(value(UNWATCHED, "false").toLowerCase(Locale.ROOT))) {
      return 0;
    }
    try {
      long own = bytes(OWN, withHeap, withHeap);
      return Math.max(0, bytes(RESIDENT, withHeap, own > 0 ? own + 3 * withHeap : 0));
    } catch (NumberFormatException noNumber) {
      return 0; // JavaCPP does not start with it, and says so.
    }
  }

  private long bytes(List<String> names, long withHeap, long otherwise) {
    String value = value(names, "");
    return value.isEmpty() ? otherwise : Pointer.parseBytes(value, withHeap);
  }

  private String value(List<String> names, String otherwise) {
    return names.stream()
        .filter(javacpp::containsKey)
        .findFirst()
        .map(name -> javacpp.getOrDefault(name, otherwise))
        .orElse(otherwise);
  }

  /** The tightest bound in words, empty if none is known. */
  String bound() {
    long allowed = allowed(heap);
    if (container > 0 && (allowed == 0 || container < allowed)) {
      return Bytes.text(container) + " (container)";
    }
    return allowed > 0 ? Bytes.text(allowed) + " (JavaCPP)" : "";
  }

  /**
   * Makes sure that there is room.
   *
   * @param least bytes that are resident for certain, on the heap and outside of it
   * @param outside bytes that it should have outside of the heap
   * @throws InvalidInputException saying what is needed, what there is and what to do
   */
  void require(long least, double outside) {
    long allowed = allowed(heap);
    String process = role.equals(DRIVER) ? "the driver's process" : "each executor's process";
    InvalidInputException.require(
        allowed == 0 || least <= allowed,
        "this run needs at least %s in %s, heap and native arrays together, but JavaCPP allows %s (%smaxphysicalbytes): %s",
        Bytes.text(least),
        process,
        Bytes.text(allowed),
        PREFIX,
        allow(heap + outside));
    InvalidInputException.require(
        container == 0 || least <= container,
        "this run needs at least %s in %s, heap and native arrays together, but spark.%s.memory and its memoryOverhead make %s: --conf spark.%s.memoryOverhead=%s",
        Bytes.text(least),
        process,
        role,
        Bytes.text(container),
        role,
        Bytes.flag(outside));
  }

  /** What makes JavaCPP allow so much, nothing if it does with a heap of so many bytes. */
  List<String> flags(long withHeap, double outside) {
    long allowed = allowed(withHeap);
    return allowed == 0 || withHeap + outside <= allowed
        ? List.of()
        : List.of(allow(withHeap + outside));
  }

  /** With all other options of Java as they are. */
  private String allow(double bytes) {
    String name =
        RESIDENT.stream().filter(javacpp::containsKey).findFirst().orElse("maxphysicalbytes");
    String others =
        options.replaceAll("-D" + Pattern.quote(PREFIX + name) + "=[^\\s\"']*", "").strip();
    String all = (others + " -D" + PREFIX + name + "=" + Bytes.flag(bytes)).strip();
    String setting = "spark." + role + ".extraJavaOptions=" + all;
    return "--conf " + (setting.indexOf(' ') < 0 ? setting : "\"" + setting + "\"");
  }
}
